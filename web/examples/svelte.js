/** Compiles `Club.svelte` and shows it. A real site does this once, when it is built. */

import { mount } from 'svelte';
import { compile } from 'svelte/compiler';

const source = await (await fetch('Club.svelte')).text();
const { js } = compile(source, { generate: 'client', filename: 'Club.svelte' });
// The module is a blob without an address of its own, so its relative import gets a whole address.
const code = js.code.replace("'../watch-next.js'", JSON.stringify(new URL('../watch-next.js', import.meta.url).href));
const { default: Club } = await import(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
mount(Club, { target: document.getElementById('root') });
