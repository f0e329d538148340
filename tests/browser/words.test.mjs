/** The texts in every language are complete, have the same values to fill in, and are all used by the code. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { FAMILIES } from '../../web/page/constellation.js';

const ROOT = new URL('../../', import.meta.url);
const ENGLISH = 'en';

/** MovieLens's genres. English shows the catalogue's own names; the other languages have texts for them. */
const GENRES = [
  'Action',
  'Adventure',
  'Animation',
  'Children',
  'Comedy',
  'Crime',
  'Documentary',
  'Drama',
  'Fantasy',
  'Film-Noir',
  'Horror',
  'IMAX',
  'Musical',
  'Mystery',
  'Romance',
  'Sci-Fi',
  'Thriller',
  'War',
  'Western',
  '(no genres listed)',
];
const GENRE_KEYS = GENRES.map((name) => `genre.${name}`);

/** @param {string} path from the repository's root. */
const read = (path) => readFileSync(new URL(path, ROOT), 'utf8');

/** The names of a folder's files of one kind. @param {string} folder @param {string} ending */
const filesOf = (folder, ending) =>
  readdirSync(new URL(folder, ROOT))
    .filter((name) => name.endsWith(ending))
    .map((name) => folder + name);

/** The kinds of errors in the texts, from `web/element/errors.js`. */
const errorKinds = [...read('web/element/errors.js').matchAll(/^ {2}'?[\w-]+'?: '([\w-]+)',$/gm)].map(
  ([, kind]) => kind,
);

/**
 * The two sets of texts, each with the code that uses them. `templates` are keys that the code builds, with the values
 * that it fills in. For keys that may have no text (`said`, `undo`), only the values that have one.
 */
const SETS = [
  {
    what: 'the element',
    folder: 'web/words/',
    genres: GENRE_KEYS,
    code: [...filesOf('web/element/', '.js'), 'web/watch-next.html'],
    templates: {
      '${kind}.title': ['screen', 'filtered', 'loading', 'interrupted'],
      '${kind}.words': ['screen', 'filtered', 'loading', 'interrupted'],
      'act.${act}.of': ['like', 'dislike', 'remove'],
      'error.${kind}.advice': [...errorKinds, 'model'],
      'error.${kind}.title': [...errorKinds, 'model'],
      'fame.${fame}': ['famous', 'known', 'gems'],
      'said.${what}': ['add', 'remove', 'like', 'dislike', 'none', 'undo', 'replace', 'ignore', 'restore'],
      'store.${trouble}': ['blocked', 'damaged', 'full'],
      'undo.${change.kind}': ['remove', 'clear', 'ignore', 'replace'],
      // English has none of these.
      'genre.${name}': [],
    },
  },
  {
    what: 'the page',
    folder: 'web/words/page/',
    genres: [],
    code: [...filesOf('web/page/', '.js'), 'web/page.js', 'index.html'],
    templates: {
      'family.${name}': FAMILIES.map(({ name }) => name),
      'why.${reason}': ['not-in-catalog', 'ambiguous', 'not-a-movie', 'invalid'],
    },
  },
];

/** Words about movies, watching and cinemas, which texts for other catalogues must not have. */
const ABOUT_MOVIES = {
  de: /film|kino|gesehen|schau|leinwand|projektor|plakat/i,
  en: /movie|film|watched|watching|seen\b|viewer|screen|projector/i,
  es: /pel[ií]cula|cine\b|\bvist[oa]|\bviste|\bvi\b|\bver\b|pantalla|proyector|cartel/i,
  fr: /film|cinéma|\bvue?s?\b|regard|écran|projecteur|affiches?\b/i,
  ja: /映画|観|スクリーン|映写|上映|ポスター|本/,
};

/** Texts about MovieLens's genres and about sources of lists are always about movies. */
const OF_MOVIES = /^(genre\.|export\.|family\.)/;

/** @param {string} folder @returns {Map<string, Record<string, string | Record<string, string>>>} texts by language. */
const textsOf = (folder) =>
  new Map(filesOf(folder, '.json').map((path) => [path.slice(folder.length, -'.json'.length), JSON.parse(read(path))]));

/**
 * The forms of a text by category of number. A single form has an empty name.
 * @param {string | Record<string, string>} text
 */
const formsOf = (text) => (typeof text === 'string' ? [['', text]] : Object.entries(text));

/** @param {string} form */
const placeholdersOf = (form) => [...new Set(form.match(/\{\w+\}/g))].sort();

/** Calls with a literal key: `text` and `has` of the words, and shorthands for them. */
const FIRST = /\b(?:text|has|head)\(\s*'([\w.-]+)'/g;
/** A button's text and its action. */
const CHOICES = /\['([\w.-]+)', \(/g;
const IN_HTML = /\bdata-words(?:-[a-z]+)?="([^"]+)"/g;
const LITERALS = /'([a-z]+\.[\w.-]+)'/g;
const TEMPLATES = /(\btext\()?`((?:[\w.-]|\$\{[^}`]+\})*\$\{[^}`]+\}(?:[\w.-]|\$\{[^}`]+\})*)`/g;

/**
 * The keys in some code, and its templates of keys.
 * @param {string} code
 * @param {ReadonlySet<string>} groups the parts of keys before the first full stop. By them `'chance.sure'` is a key
 *   anywhere, and `'manifest.json'` isn't.
 */
function askedFor(code, groups) {
  const groupOf = (/** @type {string} */ key) => key.split('.')[0];
  const keys = [FIRST, CHOICES, IN_HTML].flatMap((pattern) => [...code.matchAll(pattern)].map(([, key]) => key));
  const literals = [...code.matchAll(LITERALS)].map(([, key]) => key).filter((key) => groups.has(groupOf(key)));
  const templates = [...code.matchAll(TEMPLATES)]
    .filter(([, isText, template]) => isText || groups.has(groupOf(template)))
    .map(([, , template]) => template);
  return { keys: new Set([...keys, ...literals]), templates: new Set(templates) };
}

for (const { what, folder, genres, code, templates } of SETS) {
  const languages = textsOf(folder);
  const english = languages.get(ENGLISH) ?? {};
  const englishKeys = Object.keys(english);

  const groups = new Set(
    [...englishKeys.filter((key) => key.includes('.')), ...genres].map((key) => key.split('.')[0]),
  );
  const asked = askedFor(code.map(read).join('\n'), groups);
  const built = Object.entries(templates).flatMap(([template, values]) =>
    values.map((value) => template.replace(/\$\{[^}]+\}/, value)),
  );

  test(`every language of ${what} can be chosen on the page`, () => {
    const offered = [...read('index.html').matchAll(/<option value="([a-z-]+)" lang="\1">/g)].map(
      ([, language]) => language,
    );
    assert.ok(offered.length > 1);
    assert.deepEqual([...languages.keys()].sort(), offered.sort());
  });

  test(`every text that the code of ${what} asks for exists in English`, () => {
    assert.ok(asked.keys.size > 0);
    assert.deepEqual([...asked.keys].filter((key) => !Object.hasOwn(english, key)), []);
  });

  test(`every key that the code of ${what} puts together is known here, and its texts exist in English`, () => {
    assert.deepEqual([...asked.templates].sort(), Object.keys(templates).sort());
    assert.deepEqual(built.filter((key) => !Object.hasOwn(english, key)), []);
  });

  test(`no text of ${what} is unused`, () => {
    const used = new Set([...asked.keys, ...built]);
    assert.deepEqual(englishKeys.filter((key) => !used.has(key)), []);
  });

  for (const [language, texts] of languages) {
    const own = language === ENGLISH ? [] : genres;

    test(`${what} in ${language}: the keys of English in their order, and then the genres`, () => {
      assert.deepEqual(Object.keys(texts), [...englishKeys, ...own]);
    });

    test(`${what} in ${language}: one key per line, with the lines between the groups where English has them`, () => {
      const layout = (/** @type {string} */ name) =>
        read(`${folder}${name}.json`)
          .split('\n')
          .map((line) => /^ {2}"([^"]+)": (?:".*"|\{.*\}),?$/.exec(line)?.[1] ?? line);
      const wanted = layout(ENGLISH);
      if (own.length > 0) wanted.splice(wanted.lastIndexOf('}'), 0, '', ...own);
      assert.deepEqual(layout(language), wanted);
    });

    test(`${what} in ${language}: every form that the language's numbers need`, () => {
      const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories.sort();
      for (const [key, text] of Object.entries(texts)) {
        if (typeof (english[key] ?? '') === 'string') assert.equal(typeof text, 'string', key);
        else assert.deepEqual(Object.keys(text).sort(), categories, key);
      }
    });

    test(`${what} in ${language}: no text is empty, and each has the values of English`, () => {
      for (const [key, text] of Object.entries(texts)) {
        const wanted = placeholdersOf(formsOf(english[key] ?? '').map(([, form]) => form).join());
        for (const [category, form] of formsOf(text)) {
          assert.notEqual(form.trim(), '', key);
          // Where there is one, the number may be said by the words.
          const found = placeholdersOf(category === 'one' && !form.includes('{count}') ? `${form}{count}` : form);
          assert.deepEqual(found, wanted, `${key} ${category}`);
        }
      }
    });
  }
}

for (const { what, folder } of SETS) {
  const items = folder.replace('web/words/', 'web/words/items/');
  const ours = textsOf(folder);
  const theirs = textsOf(items);

  test(`${what} for other catalogues: the same texts in every language, in the order of those for movies`, () => {
    assert.deepEqual([...theirs.keys()].sort(), [...ours.keys()].sort());
    const keys = Object.keys(theirs.get(ENGLISH) ?? {});
    assert.ok(keys.length > 0);
    assert.deepEqual(keys, Object.keys(ours.get(ENGLISH) ?? {}).filter((key) => keys.includes(key)));
    for (const [language, texts] of theirs) assert.deepEqual(Object.keys(texts), keys, language);
    for (const key of keys) {
      assert.ok(
        [...theirs].some(
          ([language, texts]) => JSON.stringify(texts[key]) !== JSON.stringify(ours.get(language)?.[key]),
        ),
        `${key} says nothing new in any language`,
      );
    }
  });

  for (const [language, texts] of theirs) {
    test(`${what} for other catalogues in ${language}: the forms and values of movies, and no word about them`, () => {
      const before = ours.get(language) ?? {};
      for (const [key, text] of Object.entries(texts)) {
        assert.deepEqual(
          formsOf(text).map(([category]) => category),
          formsOf(before[key]).map(([category]) => category),
          key,
        );
        formsOf(text).forEach(([category, form]) => {
          assert.notEqual(form.trim(), '', key);
          const of = (/** @type {string} */ one) =>
            placeholdersOf(one).filter((name) => category !== 'one' || name !== '{count}');
          assert.deepEqual(of(form), of(String(new Map(formsOf(before[key])).get(category))), `${key} ${category}`);
        });
      }
      const about = ABOUT_MOVIES[/** @type {keyof typeof ABOUT_MOVIES} */ (language)];
      const said = Object.entries({ ...before, ...texts })
        .filter(([key]) => !OF_MOVIES.test(key))
        .flatMap(([key, text]) => formsOf(text).map(([, form]) => `${key}: ${form}`));
      assert.deepEqual(
        said.filter((line) => about.test(line.replace(/^\S+: /, '').replace(/\{\w+\}/g, ''))),
        [],
      );
    });
  }
}
