import { randomBytes } from 'node:crypto';
import { mapTexts, type Json } from '#core/json';

const REFERENCE = /@secret:([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)/g;

/**
 * References that the owner wrote, told from the same letters in any other text: before foreign text is filled into a
 * configuration, each of its references becomes a handle that nobody can guess. Only handles are ever resolved, so a model or a feed that
 * writes `@secret:x` gets just these letters. A set of handles lives as long as one attempt at one step.
 */
export interface Handles {
  /** The owner's own value, its references as handles. */
  hold(own: Json): Json;
  /** A text with its handles as references again: for everything that is stored, shown, or read by a model. */
  release(text: string): string;
  /** The names behind the handles of a text. */
  namesIn(text: string): readonly string[];
  /** A text with its handles filled in; `encode` is for where the value goes, an address or a header. */
  fill(text: string, values: ReadonlyMap<string, string>, encode?: (value: string) => string): string;
}

/** `random` gives bytes; 16 of them make the handles of one set. */
export function createHandles(random: (bytes: number) => Uint8Array = randomBytes): Handles {
  const names: string[] = [];
  // letters and digits alone: they come through addresses, forms and JSON as they are
  const mark = `sealed${Buffer.from(random(16)).toString('hex')}n`;
  const handle = new RegExp(`${mark}(\\d+)z`, 'gi');

  function handleOf(name: string): string {
    const at = names.includes(name) ? names.indexOf(name) : names.push(name) - 1;
    return `${mark}${at}z`;
  }

  return {
    hold: (own) => mapTexts(own, (text) => text.replace(REFERENCE, (_whole, name: string) => handleOf(name))),
    release: (text) =>
      text.replace(handle, (whole, at: string) => (names[Number(at)] === undefined ? whole : `@secret:${names[Number(at)]}`)),
    namesIn: (text) => [...new Set(Array.from(text.matchAll(handle), ([, at]) => names[Number(at)]).filter((name) => name !== undefined))],
    fill: (text, values, encode = (value) => value) =>
      text.replace(handle, (whole, at: string) => {
        const value = values.get(names[Number(at)] ?? '');
        return value === undefined ? whole : encode(value);
      }),
  };
}
