/** Entries of a watched list, as they come from sites, links and files. */

import { HIGHEST_STARS, LOWEST_STARS } from '../engine/constants.js';

/** @param {unknown} value @returns {value is number} */
export const isMovieId = (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 32;

/** @param {unknown} value @returns {value is number} */
export const isRating = (value) => typeof value === 'number' && value >= LOWEST_STARS && value <= HIGHEST_STARS;

/** A watched movie, with its rating if there is one. @param {number} movieId @param {number | null} [rating] */
export const watchedOf = (movieId, rating) => (rating == null ? { movieId } : { movieId, rating });
