/**
 * The numbers and names that the scripts share with the library.
 * They are made from its constants: `BLESS=1 cargo test --test constants`.
 */

/** The lowest and the highest rating, in stars. */
export const LOWEST_STARS = 0.5;
export const HIGHEST_STARS = 5;

/** A rating from here on is a like. */
export const LIKED_STARS = 4;

/** A rating up to here is a dislike. */
export const DISLIKED_STARS = 3;

/** The largest file that `readList` takes. */
export const MAX_LIST_BYTES = 10000000;

/** The files of each part of a bundle that is fetched when it is needed, by their names in the manifest. */
export const EXTRA_FILES = {
  states: ['states'],
  ranker: ['ranker', 'traits'],
  links: ['links'],
  map: ['map'],
};
