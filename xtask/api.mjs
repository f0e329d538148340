/**
 * Makes the API reference from the declarations in web/*.d.ts: `node xtask/api.mjs` writes docs/api.md. A test compares
 * the two.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = new URL('../', import.meta.url);

/** The declarations, in the order of the reference. */
const SOURCES = ['web/watch-next.d.ts', 'web/runtime.d.ts'];

/** A comment and its declaration, which begins a line and ends at its closing brace or its semicolon. */
const DECLARATION =
  /(?:\/\*\*((?:(?!\*\/)[^])*?)\*\/\n)?(export (?:(?:interface|class) [^]*?^\}|(?:type|function) [^]*?;$))/gm;

/** The text of a comment, without its asterisks. @param {string} comment */
const textOf = (comment) => comment.replace(/^[ \t]*\* ?/gm, '').trim();

/** The header and the declarations of a file. @param {string} source */
function partsOf(source) {
  const [, header = ''] = /^\/\*\*([^]*?)\*\/\n\n/.exec(source) ?? [];
  const body = source.slice(source.indexOf('*/\n') + 3);
  const declarations = [...body.matchAll(DECLARATION)]
    .filter(([, , code]) => !code.startsWith('export type {'))
    .map(([, comment = '', code]) => ({
      name: /^export \w+ (\w+)/.exec(code)?.[1] ?? '',
      text: textOf(comment),
      code: code.replace(/^export /, ''),
    }));
  return { header: textOf(header), declarations };
}

/** The whole reference. */
export async function reference() {
  const parts = await Promise.all(
    SOURCES.map(async (name) => ({ name, ...partsOf(await readFile(new URL(name, ROOT), 'utf8')) })),
  );
  const sections = parts.map(({ name, header, declarations }) =>
    [
      `## ${name.replace('.d.ts', '.js')}`,
      header.replace(/^## /gm, '### '),
      ...declarations.map(({ name: title, text, code }) =>
        [`### \`${title}\``, text, `\`\`\`ts\n${code}\n\`\`\``].filter(Boolean).join('\n\n'),
      ),
    ].join('\n\n'),
  );
  const header = '# API reference\n\nMade from the declarations by `node xtask/api.mjs`; change those.';
  return `${[header, ...sections].join('\n\n')}\n`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await writeFile(fileURLToPath(new URL('docs/api.md', ROOT)), await reference());
}
