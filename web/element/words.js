/**
 * Everything that the widget says, in one language: `words/LANGUAGE.json` beside the program, with English for what it lacks. A
 * text may hold `{names}` to fill in, and differ by number, in the categories of `Intl.PluralRules`.
 */

import { readJson } from './own-file.js';

/** @typedef {string | Record<string, string>} Text one text, or one for each category of number. */

/** What everything else falls back to. */
const ENGLISH = 'en';

export class Words {
  #texts;
  #plural;
  #numbers;
  #list;

  /**
   * @param {string} language
   * @param {Record<string, Text>} texts
   */
  constructor(language, texts) {
    this.language = language;
    this.#texts = new Map(Object.entries(texts));
    this.#plural = new Intl.PluralRules(language);
    this.#numbers = new Intl.NumberFormat(language);
    this.#list = new Intl.ListFormat(language, { type: 'conjunction' });
  }

  /**
   * The words of a language, as `de` or `pt-BR`: its own file, else that of the language without its region, else English.
   * @param {URL} folder
   * @param {string} wanted
   */
  static async load(folder, wanted) {
    // A language's name becomes part of an address, so it may be nothing but a name.
    const tag = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(wanted) ? wanted : ENGLISH;
    const names = [...new Set([tag, tag.split('-')[0]])].filter((name) => name !== ENGLISH);
    const read = (/** @type {string} */ name) => readJson(new URL(`${name}.json`, folder));
    const [english, ...own] = await Promise.all([read(ENGLISH), ...names.map((name) => read(name).catch(() => null))]);
    const found = own.findIndex((texts) => texts !== null);
    return new Words(found < 0 ? ENGLISH : names[found], { ...english, ...own[found] });
  }

  /**
   * A text with its values filled in. `count` chooses the form that fits the number.
   * @param {string} key
   * @param {Record<string, string | number>} [values]
   */
  text(key, values = {}) {
    const entry = this.#texts.get(key) ?? key;
    const form = typeof entry === 'string' ? entry : (entry[this.#plural.select(Number(values.count))] ?? entry.other ?? key);
    return form.replace(/\{(\w+)\}/g, (whole, name) => {
      const value = Object.hasOwn(values, name) ? values[name] : whole;
      return typeof value === 'number' ? this.#numbers.format(value) : value;
    });
  }

  /** Whether the language has a text of its own for this. @param {string} key */
  has(key) {
    return this.#texts.has(key);
  }

  /** @param {readonly string[]} parts */
  list(parts) {
    return this.#list.format(parts);
  }

  /** A genre in this language; as the catalogue has it where no translation is known. @param {string} name */
  genre(name) {
    const key = `genre.${name}`;
    return this.has(key) ? this.text(key) : name;
  }

  /** @param {readonly string[]} names */
  genres(names) {
    return names.map((name) => this.genre(name)).join(', ');
  }

  /** @param {number} bytes */
  megabytes(bytes) {
    return `${new Intl.NumberFormat(this.language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(bytes / 1e6)} MB`;
  }
}
