/** The icons' paths, each in a square of 24 by 24. */

export const CHECK = 'M5 12.5 10 17.5 19 7';
export const CROSS = 'M6 6l12 12M18 6 6 18';
export const UP = 'M7 11v9H4a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1zm0 0 4.2-7.6a1.9 1.9 0 0 1 3.5 1.4L14 10h5.2a2 2 0 0 1 2 2.4l-1.2 6A2 2 0 0 1 18 20H7';
export const DOWN = 'M17 13V4h3a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1zm0 0-4.2 7.6a1.9 1.9 0 0 1-3.5-1.4L10 14H4.8a2 2 0 0 1-2-2.4l1.2-6A2 2 0 0 1 6 4h11';

/** Two posters, one half behind the other. */
export const SIMILAR = 'M11.2 7h8.3a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1h-8.3a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1zM7 18.6l-.9.2a1 1 0 0 1-1.2-.8L3 6.6a1 1 0 0 1 .8-1.2l8-1.4a1 1 0 0 1 1 .5';

/** An eye, struck through. */
export const HIDE = 'M4 4l16 16M9.5 5.4A9.8 9.8 0 0 1 12 5c5 0 8.6 4.2 9.8 7a14 14 0 0 1-2.6 3.7M6.4 6.9A13.6 13.6 0 0 0 2.2 12c1.2 2.8 4.8 7 9.8 7a9.7 9.7 0 0 0 4.6-1.2M9.9 9.9a3 3 0 0 0 4.2 4.2';
