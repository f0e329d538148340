/**
 * All texts of the widget in one language, from `words/LANGUAGE.json`. English fills what it lacks, and a site's own
 * words override both. A text may hold `{names}` to fill in, and have a form for each category of `Intl.PluralRules`.
 */

import { readJson } from './own-file.js';

/** @typedef {string | Record<string, string>} Text one form, or one for each category of number. */

/** The language that all others fall back to. */
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
   * The words of a language such as `de` or `pt-BR`. Texts that it lacks come from the language without its region,
   * then from English.
   * @param {string} wanted
   * @param {URL} base a folder with at least English.
   * @param {string | null} [own] the address of a folder whose words override those: any texts, in any languages.
   */
  static async load(wanted, base, own) {
    // The language becomes part of an address, so only a language tag may pass.
    const tag = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(wanted) ? wanted : ENGLISH;
    const names = [...new Set([ENGLISH, tag.split('-')[0], tag])];
    const folders = own ? [base, own.replace(/\/*$/, '/')] : [base];
    /** From the most general to the most specific. @type {{value?: Record<string, Text>, reason?: unknown}[]} */
    const files = await Promise.allSettled(
      names.flatMap((name) =>
        folders.map(async (folder) => readJson(new URL(`${name}.json`, new URL(folder, new Image().baseURI)))),
      ),
    );
    if (files[0].reason) throw files[0].reason;
    const last = files.findLastIndex(({ value }) => value);
    return new Words(names[Math.floor(last / folders.length)], Object.assign({}, ...files.map(({ value }) => value)));
  }

  /**
   * A text with its values filled in. `count` chooses the plural form.
   * @param {string} key
   * @param {Record<string, string | number>} [values]
   */
  text(key, values = {}) {
    const entry = this.#texts.get(key) ?? key;
    const form =
      typeof entry === 'string' ? entry : (entry[this.#plural.select(Number(values.count))] ?? entry.other ?? key);
    return form.replace(/\{(\w+)\}/g, (whole, name) => {
      const value = Object.hasOwn(values, name) ? values[name] : whole;
      return typeof value === 'number' ? this.#numbers.format(value) : value;
    });
  }

  /** Whether there is a text for this key. @param {string} key */
  has(key) {
    return this.#texts.has(key);
  }

  /** @param {readonly string[]} parts */
  list(parts) {
    return this.#list.format(parts);
  }

  /** A genre in this language, or the catalogue's name if there is no translation. @param {string} name */
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
    const oneDigit = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
    return `${new Intl.NumberFormat(this.language, oneDigit).format(bytes / 1e6)} MB`;
  }
}
