/**
 * Pictures of places and things for the posters, as flat as cut paper. Each varies by the movie's own random numbers.
 */

import { svg } from './dom.js';
import { between, box, circle, line, shape, times } from './draw.js';

/** @typedef {import('./draw.js').Drawing} Drawing */

/** @type {Drawing} A low sun over hills. */
function horizon({ accent, second, ink }, random) {
  const x = between(random, 55, 145);
  const y = between(random, 70, 105);
  const hill = between(random, 120, 140);
  return [
    circle(x, y, between(random, 38, 56), accent),
    ...times(3, (index) => box(0, y + 8 + index * 15, 200, 3 + index * 2, second)),
    shape(`M0 ${hill + 20} Q60 ${hill - 24} 120 ${hill + 12} T200 ${hill} V200 H0z`, second),
    shape(`M0 ${hill + 44} Q70 ${hill + 8} 200 ${hill + 42} V200 H0z`, ink),
  ];
}

/** @type {Drawing} Mesas under a large sun, for the West. */
function mesa({ accent, second, ink }, random) {
  const x = between(random, 60, 140);
  const left = between(random, 10, 40);
  return [
    circle(x, 88, 62, accent),
    shape(`M${left} 200 V118 h10 v-16 h40 v12 h12 V200z`, second),
    shape(`M${left + 104} 200 V100 h8 v-14 h34 v22 h10 V200z`, second),
    box(0, 166, 200, 34, ink),
  ];
}

/** @type {Drawing} A ringed planet and stars. */
function planet({ accent, second, ink }, random) {
  const x = between(random, 75, 125);
  const y = between(random, 85, 120);
  const radius = between(random, 38, 54);
  const tilt = between(random, -30, -8);
  const stars = times(16, () => circle(random() * 200, random() * 200, between(random, 0.8, 2.2), ink));
  const orbit = svg('ellipse', {
    cx: x,
    cy: y,
    rx: radius * 1.75,
    ry: radius * 0.42,
    fill: 'none',
    stroke: ink,
    'stroke-width': 3,
    transform: `rotate(${tilt} ${x} ${y})`,
  });
  const half = svg('path', {
    d: `M${x - radius} ${y} a${radius} ${radius} 0 0 1 ${radius * 2} 0z`,
    fill: accent,
    transform: `rotate(${tilt} ${x} ${y})`,
  });
  return [...stars, circle(x, y, radius, second), half, orbit];
}

/** @type {Drawing} A road of light into the distance. */
function vanishing({ accent, second, ink }, random) {
  const x = between(random, 75, 125);
  return [
    circle(x, 74, between(random, 26, 40), accent),
    box(0, 100, 200, 100, second),
    ...times(7, (index) => line(`M${x} 100 L${-80 + index * 60} 200`, ink, 1.6)),
    ...times(5, (index) => box(0, 104 + index * index * 5, 200, 1.4 + index * 0.3, ink)),
  ];
}

/** @type {Drawing} Petals. */
function flower({ accent, second, ink }, random) {
  const petals = 6 + Math.floor(random() * 4);
  const turn = random() * 60;
  const leaf = times(petals, (index) =>
    svg('ellipse', {
      cx: 100,
      cy: 62,
      rx: 17,
      ry: 36,
      fill: index % 2 ? accent : second,
      transform: `rotate(${turn + (index * 360) / petals} 100 100)`,
    }),
  );
  return [line('M100 100 Q96 160 108 206', ink, 4), ...leaf, circle(100, 100, 15, ink)];
}

/** @type {Drawing} Balls that bounce. */
function bounce({ accent, second, ink }, random) {
  const fills = [accent, second, ink];
  const start = Math.floor(random() * 3);
  const dotted = svg('path', {
    d: 'M-10 150 Q30 -10 74 150 Q104 50 136 150 Q160 90 182 150',
    fill: 'none',
    stroke: ink,
    'stroke-width': 2.5,
    'stroke-dasharray': '2 8',
    'stroke-linecap': 'round',
  });
  return [
    dotted,
    circle(between(random, 24, 40), 62, 30, fills[start]),
    circle(106, between(random, 84, 108), 22, fills[(start + 1) % 3]),
    circle(162, 132, 16, fills[(start + 2) % 3]),
    box(0, 152, 200, 48, fills[start]),
  ];
}

/** @type {Drawing} A rainbow. */
function rainbow({ accent, second, ink, ground }, random) {
  const x = between(random, 70, 130);
  const fills = [accent, ground, second, ground, ink, ground];
  return [...fills.map((fill, index) => circle(x, 164, 118 - index * 17, fill)), box(0, 164, 200, 36, second)];
}

/** @type {Drawing} Mountains and a moon. */
function peaks({ accent, second, ink }, random) {
  const x = between(random, 40, 160);
  const top = between(random, 56, 80);
  return [
    circle(x, 52, between(random, 20, 30), accent),
    shape(`M-20 200 L${62} ${top + 24} L150 200z`, second),
    shape(`M50 200 L${138} ${top} L230 200z`, ink),
    shape(`M138 ${top} L${118} ${top + 34} l12 -6 l8 10 l10 -12 l11 9z`, accent),
  ];
}

/** @type {Drawing} An eye. */
function eye({ accent, ink, second }, random) {
  const look = between(random, -16, 16);
  return [
    ...times(9, (index) =>
      line(`M${100 + (index - 4) * 10} 74 L${100 + (index - 4) * 25} ${24 + Math.abs(index - 4) * 6}`, second, 4),
    ),
    shape('M4 112 Q100 22 196 112 Q100 202 4 112z', ink),
    circle(100 + look, 112, 38, accent),
    circle(100 + look, 112, 16, ink),
  ];
}

/** @type {Drawing} A lamp's cone through blinds. */
function blinds({ accent, second, ink }, random) {
  const x = between(random, 40, 160);
  return [
    shape(`M${x} -4 L${x - 110} 204 H${x + 110}z`, accent),
    circle(x, 128, 20, ink),
    shape(`M${x - 34} 204 q0 -54 34 -54 t34 54z`, ink),
    ...times(8, (index) => box(0, 12 + index * 24, 200, 6, second)),
  ];
}

/** @type {Drawing} One lit window. */
function windows({ accent, second, ink }, random) {
  const lit = Math.floor(random() * 12);
  return [
    box(30, 14, 140, 190, second),
    ...times(12, (index) =>
      box(46 + (index % 3) * 40, 30 + Math.floor(index / 3) * 42, 28, 30, index === lit ? accent : ink),
    ),
  ];
}

/** @type {Drawing} Stairs and a lone dot. */
function stairs({ accent, second, ink }, random) {
  const steps = 5 + Math.floor(random() * 3);
  const run = 200 / steps;
  const at = Math.floor(random() * (steps - 1)) + 1;
  let d = 'M0 200';
  for (let index = 0; index < steps; index++) d += ` V${176 - index * (130 / steps)} H${(index + 1) * run}`;
  return [
    circle(between(random, 40, 90), 58, 34, second),
    shape(`${d} V200z`, ink),
    circle(at * run + run / 2, 176 - at * (130 / steps) - 13, 13, accent),
  ];
}

/** @type {Drawing} A profile of arches. */
function arches({ accent, second, ink }, random) {
  const x = between(random, 60, 140);
  return [
    ...[92, 70, 48, 26].map((r, index) =>
      shape(
        `M${x - r} 204 V${40 + (92 - r) * 0.9 + r} a${r} ${r} 0 0 1 ${r * 2} 0 V204z`,
        [second, ink, accent, ink][index],
      ),
    ),
    circle(x, 158, 10, accent),
  ];
}

/** @type {Drawing} A keyhole, a little askew. */
function keyhole({ accent, second, ink }, random) {
  const turn = between(random, -14, 14);
  const group = svg(
    'g',
    { transform: `rotate(${turn} 100 100)` },
    circle(100, 96, 84, second),
    circle(100, 96, 62, accent),
    shape('M100 50 a26 26 0 0 1 14 48 l12 52 h-52 l12 -52 a26 26 0 0 1 14 -48z', ink),
  );
  return [group];
}

/** @type {Drawing} A city by night. */
function skyline({ accent, second, ink }, random) {
  const towers = (/** @type {number} */ low, /** @type {number} */ high, /** @type {string} */ fill) =>
    times(8, (index) => {
      const height = between(random, low, high);
      return box(index * 26 - 6, 200 - height, between(random, 18, 26), height, fill);
    });
  const lights = times(14, () =>
    box(Math.floor(random() * 20) * 10 + 4, Math.floor(between(random, 13, 19)) * 10, 4, 5, accent),
  );
  return [
    circle(between(random, 50, 150), 62, 30, accent),
    ...towers(70, 140, second),
    ...towers(40, 96, ink),
    ...lights,
  ];
}

/** @type {Drawing} A boat on rising waves. */
function waves({ accent, second, ink }, random) {
  const x = between(random, 66, 128);
  const wave = (/** @type {number} */ y, /** @type {number} */ shift, /** @type {string} */ fill) =>
    shape(`M${shift} ${y} q20 -22 40 0 t40 0 t40 0 t40 0 t40 0 t40 0 t40 0 V200 H${shift}z`, fill);
  return [
    shape(`M${x} 116 V34 q46 40 42 82z M${x - 5} 116 V54 q-32 30 -34 62z`, accent),
    shape(`M${x - 44} 122 h92 l-16 26 h-58z`, ink),
    wave(142, -40, second),
    wave(164, -20, ink),
    wave(186, -46, second),
  ];
}

/** @type {Drawing} A road that winds to the sun. */
function road({ accent, second, ink }, random) {
  const x = between(random, 70, 130);
  return [
    circle(x, 60, between(random, 30, 42), accent),
    box(0, 92, 200, 108, second),
    shape(
      `M${x - 2} 92 C${x + 40} 116 20 128 46 156 Q60 176 30 204 H176 ` +
        `Q150 168 108 148 C60 126 ${x + 62} 112 ${x + 3} 92z`,
      ink,
    ),
    line(`M${x} 92 C${x + 50} 114 42 128 78 152 Q112 176 102 204`, accent, 2.4),
  ];
}

/** @type {Drawing} Searchlights on a premiere. */
function spotlights({ accent, second, ink }, random) {
  const beam = (/** @type {number} */ x, /** @type {number} */ to, /** @type {string} */ fill) =>
    svg('path', { d: `M${x - 5} 176 L${to - 30} -6 H${to + 30} L${x + 5} 176z`, fill, 'fill-opacity': 0.88 });
  return [
    beam(40, between(random, 70, 150), second),
    beam(160, between(random, 50, 130), accent),
    beam(100, between(random, 20, 180), second),
    box(0, 174, 200, 26, ink),
    ...[40, 100, 160].map((x) => circle(x, 174, 11, ink)),
  ];
}

/** @type {Drawing} A crescent between clouds. */
function moonlight({ accent, second, ink, ground }, random) {
  const x = between(random, 70, 120);
  const cloud = (/** @type {number} */ left, /** @type {number} */ y, /** @type {string} */ fill) =>
    shape(`M${left} ${y} h96 a18 18 0 0 0 -10 -33 a27 27 0 0 0 -50 -9 a20 20 0 0 0 -34 16 a14 14 0 0 0 -2 26z`, fill);
  return [
    ...times(9, () => circle(random() * 200, random() * 120, between(random, 1, 2.4), ink)),
    circle(x, 82, 52, accent),
    circle(x + 24, 70, 44, ground),
    cloud(between(random, -10, 20), 150, second),
    cloud(between(random, 84, 120), 182, ink),
  ];
}

/** @type {Drawing} Balloons let go. */
function balloons({ accent, second, ink }, random) {
  const fills = [accent, second, ink];
  return times(5, (index) => {
    const x = 26 + index * 37;
    const y = between(random, 36, 104);
    return svg(
      'g',
      {},
      line(`M${x} ${y + 26} Q${x + 12} ${y + 70} ${100} 214`, ink, 1.4),
      svg('ellipse', { cx: x, cy: y, rx: 21, ry: 26, fill: fills[index % 3] }),
    );
  });
}

/** @type {Drawing} Two at a table, a lamp above. */
function table({ accent, second, ink }, random) {
  const y = between(random, 44, 60);
  return [
    shape(`M100 ${y} L34 176 H166z`, second),
    line(`M100 -4 V${y - 12}`, ink, 3),
    shape(`M72 ${y + 6} a28 28 0 0 1 56 0z`, accent),
    circle(54, 122, 15, ink),
    circle(146, 122, 15, ink),
    shape('M26 204 V166 q0 -26 28 -26 q16 0 24 16 V204z M174 204 V166 q0 -26 -28 -26 q-16 0 -24 16 V204z', ink),
    box(66, 162, 68, 7, accent),
    box(96, 166, 8, 40, accent),
  ];
}

/** The scenes by name, as `posters.json` asks for them. */
export const SCENES = {
  horizon,
  mesa,
  planet,
  vanishing,
  flower,
  bounce,
  rainbow,
  peaks,
  eye,
  blinds,
  windows,
  stairs,
  arches,
  keyhole,
  skyline,
  waves,
  road,
  spotlights,
  moonlight,
  balloons,
  table,
};
