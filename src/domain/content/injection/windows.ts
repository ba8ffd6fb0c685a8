import { unitsOf } from './units.ts';
import type { Reading } from './disguise.ts';

/** A piece of text that is judged as one, and what is to be known of its surroundings. */
export interface Window {
  readonly text: string;
  readonly around: readonly string[];
}

const MANY = 4;
const LONGEST_JOINED = 280;

/** Each unit of a reading, and each with the next when both are short: an order may be cut over two fields. */
export function windowsOf({ text, disguises }: Reading): Window[] {
  const units = unitsOf(text);
  const isMany = units.length >= MANY;
  const tabled = units.filter(isTabled).length * 2 > units.length;
  const windows: Window[] = [];
  for (const [at, unit] of units.entries()) {
    const around = [
      ...disguises,
      ...(isMany ? ['c_many'] : []),
      ...(isMany && tabled && !isTabled(unit) ? ['c_table'] : []),
      ...(isMany && (at === 0 || at === units.length - 1) ? ['c_edge'] : []),
    ];
    windows.push({ text: unit, around });
    const next = units[at + 1];
    if (next !== undefined && unit.length + next.length < LONGEST_JOINED)
      windows.push({ text: `${unit} ${next}`, around: [...around, 'joined'] });
  }
  return windows;
}

function isTabled(unit: string): boolean {
  return unit.includes('|') || unit.includes('\t') || /^\s*[\w-]+:\s/.test(unit);
}
