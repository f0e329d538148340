/** Abstract pictures for the posters: edges, rings, bars, tiles. Each varies by the movie's own random numbers. */

import { svg } from './dom.js';
import { between, box, circle, ring, shape, times } from './draw.js';

/** @typedef {import('./draw.js').Drawing} Drawing */

/** @type {Drawing} Splinters that meet off centre. */
function shards({ accent, second, ink }, random) {
  const x = between(random, 70, 130);
  const y = between(random, 80, 130);
  const edge = [0, 0, 90, -10, 210, 20, 210, 120, 190, 210, 80, 210, -10, 150, -10, 60];
  const fills = [accent, second, ink, accent];
  return times(4, (index) => {
    const at = index * 4;
    const wobble = between(random, -26, 26);
    return shape(
      `M${x} ${y} L${edge[at] + wobble} ${edge[at + 1]} L${edge[at + 2]} ${edge[at + 3] + wobble}z`,
      fills[index],
    );
  });
}

/** @type {Drawing} Rings that lose their centre. */
function vertigo({ accent, second, ink }, random) {
  const drift = between(random, -5, 5);
  const lift = between(random, -4, 4);
  const rings = times(8, (index) =>
    ring(
      100 + drift * index,
      100 + lift * index,
      116 - index * 14,
      index % 3 === 1 ? accent : index % 3 === 2 ? second : ink,
      5,
    ),
  );
  return [...rings, circle(100 + drift * 8, 100 + lift * 8, 9, accent)];
}

/** @type {Drawing} Two circles that overlap. */
function pair({ accent, second, ink }, random) {
  const gap = between(random, 22, 34);
  const y = between(random, 88, 108);
  const r = 54;
  const reach = Math.sqrt(r * r - gap * gap);
  return [
    circle(100 - gap, y, r, accent),
    circle(100 + gap, y, r, second),
    shape(`M100 ${y - reach} A${r} ${r} 0 0 1 100 ${y + reach} A${r} ${r} 0 0 1 100 ${y - reach}z`, ink),
  ];
}

/** @type {Drawing} Beams that burst from a corner or the foot. */
function burst({ accent, second, ink }, random) {
  const x = [20, 100, 180][Math.floor(random() * 3)];
  const y = between(random, 120, 190);
  const beams = 9;
  return [
    ...times(beams, (index) => {
      const from = Math.PI + (index * Math.PI) / beams;
      const to = from + Math.PI / beams / 2;
      const point = (/** @type {number} */ angle) => `${x + Math.cos(angle) * 300} ${y + Math.sin(angle) * 300}`;
      return shape(`M${x} ${y} L${point(from)} L${point(to)}z`, index % 2 ? second : accent);
    }),
    circle(x, y, between(random, 26, 38), ink),
  ];
}

/** @type {Drawing} Slanted speed. */
function slant({ accent, second, ink }, random) {
  const lean = between(random, 40, 80);
  let x = between(random, -40, -10);
  return times(6, (index) => {
    const width = between(random, 10, 44);
    const bar = shape(`M${x} 200 L${x + lean} 0 h${width} L${x + width} 200z`, [accent, ink, second][index % 3]);
    x += width + between(random, 8, 20);
    return bar;
  });
}

/** @type {Drawing} Quarter circles laid like tiles. */
function tiles({ accent, second, ink }, random) {
  const fills = [accent, second, ink];
  const size = 50;
  const corners = [
    (/** @type {number} */ x, /** @type {number} */ y) => `M${x} ${y} h50 a50 50 0 0 1 -50 50z`,
    (/** @type {number} */ x, /** @type {number} */ y) => `M${x + 50} ${y} v50 a50 50 0 0 1 -50 -50z`,
    (/** @type {number} */ x, /** @type {number} */ y) => `M${x + 50} ${y + 50} h-50 a50 50 0 0 1 50 -50z`,
    (/** @type {number} */ x, /** @type {number} */ y) => `M${x} ${y + 50} v-50 a50 50 0 0 1 50 50z`,
    (/** @type {number} */ x, /** @type {number} */ y) => `M${x + 3} ${y + 25} a22 22 0 1 0 44 0 a22 22 0 1 0 -44 0z`,
  ];
  return times(16, (index) => {
    const pick = corners[Math.floor(random() * corners.length)];
    return shape(pick((index % 4) * size, Math.floor(index / 4) * size), fills[Math.floor(random() * 3)]);
  });
}

/** @type {Drawing} A moon over teeth. */
function teeth({ accent, ink, second }, random) {
  const count = 5 + Math.floor(random() * 3);
  const width = 200 / count;
  const upper = Array.from({ length: count }, (_, index) => {
    const drop = between(random, 30, 70);
    return `L${index * width + width / 2} ${drop} L${(index + 1) * width} 0`;
  });
  const lower = upper.map((_, index) => {
    const rise = between(random, 28, 64);
    return `L${index * width + width / 2} ${200 - rise} L${(index + 1) * width} 200`;
  });
  return [
    circle(100, 100, between(random, 38, 50), accent),
    circle(100 + between(random, -12, 12), 100, 17, second),
    shape(`M0 0 ${upper.join(' ')}z`, ink),
    shape(`M0 200 ${lower.join(' ')}z`, ink),
  ];
}

/** @type {Drawing} Chevrons on the march. */
function chevrons({ accent, second, ink }, random) {
  const fills = [accent, second, ink];
  const from = Math.floor(random() * 3);
  return times(5, (index) => {
    const y = 14 + index * 38;
    return shape(`M0 ${y + 34} L100 ${y} L200 ${y + 34} v18 L100 ${y + 18} L0 ${y + 52}z`, fills[(from + index) % 3]);
  });
}

/** @type {Drawing} Bars of sound. */
function bars({ accent, second, ink }, random) {
  return times(9, (index) => {
    const height = between(random, 34, 168);
    return svg('rect', {
      x: 12 + index * 20,
      y: 100 - height / 2,
      width: 12,
      height,
      rx: 6,
      fill: [accent, ink, second][index % 3],
    });
  });
}

/** @type {Drawing} A measured grid. */
function grid({ accent, second, ink }, random) {
  const dot = [Math.floor(random() * 4), Math.floor(random() * 4)];
  return [
    ...times(5, (index) => box(20 + index * 40 - 1, 0, 2, 200, second)),
    ...times(5, (index) => box(0, 20 + index * 40 - 1, 200, 2, second)),
    box(20 + dot[0] * 40, 20, 40, 160, ink),
    circle(40 + dot[0] * 40, 40 + dot[1] * 40, 44, accent),
  ];
}

/** @type {Drawing} Something in the cross hairs. */
function target({ accent, second, ink }, random) {
  const x = between(random, 80, 120);
  const y = between(random, 84, 116);
  return [
    circle(x, y, 70, second),
    circle(x, y, 46, accent),
    circle(x, y, 22, second),
    box(0, y - 1.5, 200, 3, ink),
    box(x - 1.5, 0, 3, 200, ink),
    circle(x, y, 7, ink),
  ];
}

/** @type {Drawing} A board with one piece out of line. */
function checker({ accent, second, ink }, random) {
  const at = Math.floor(random() * 5);
  const squares = times(36, (index) => {
    const column = index % 6;
    const row = Math.floor(index / 6);
    return box(-20 + column * 40, -20 + row * 40, 40, 40, (column + row) % 2 ? second : ink);
  });
  return [...squares, circle(40 + at * 30, between(random, 60, 140), 36, accent)];
}

/** @type {Drawing} Torn strips of paper. */
function strips({ accent, second, ink }, random) {
  const fills = [accent, ink, second];
  const from = Math.floor(random() * 3);
  let y = between(random, 4, 16);
  return times(6, (index) => {
    const height = between(random, 14, 34);
    const left = index % 2 ? between(random, -10, 60) : -10;
    const right = index % 2 ? 210 : between(random, 130, 210);
    const strip = shape(
      `M${left} ${y + 5} L${right} ${y} l-7 ${height * 0.5} l5 ${height * 0.5} L${left + 6} ${y + height + 3}z`,
      fills[(from + index) % 3],
    );
    y += height + between(random, 2, 9);
    return strip;
  });
}

/** @type {Drawing} Dots on their rounds. */
function orbits({ accent, second, ink }, random) {
  const dots = [34, 58, 82, 106].flatMap((radius, index) => {
    const angle = random() * Math.PI * 2;
    return [
      ring(100, 100, radius, index % 2 ? second : ink, 2),
      circle(
        100 + Math.cos(angle) * radius,
        100 + Math.sin(angle) * radius,
        7 + index * 2,
        [accent, second, ink, accent][index],
      ),
    ];
  });
  return [...dots, circle(100, 100, 17, accent)];
}

/** @type {Drawing} Scales, row upon row. */
function fan({ accent, second, ink, ground }, random) {
  const from = Math.floor(random() * 3);
  const fills = [accent, second, ink];
  return times(5, (row) =>
    svg(
      'g',
      {},
      ...times(6, (column) => {
        const x = column * 50 - (row % 2) * 25;
        const y = 34 + row * 42;
        return svg(
          'g',
          {},
          circle(x, y, 32, ground),
          circle(x, y, 28, fills[(from + row + column) % 3]),
          circle(x, y, 12, ground),
        );
      }),
    ),
  );
}

/** The patterns by name, as `posters.json` asks for them. */
export const PATTERNS = {
  shards,
  vertigo,
  pair,
  burst,
  slant,
  tiles,
  teeth,
  chevrons,
  bars,
  grid,
  target,
  checker,
  strips,
  orbits,
  fan,
};
