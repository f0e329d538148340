/** The functions that the bench calls in the page: one for each kind of measurement. */

import { measureScans } from './scans.mjs';
import { measureTower } from './tower.mjs';

Object.assign(globalThis, { measureScans, measureTower });
