import { stripVTControlCharacters, styleText } from 'node:util';

/** Columns that line up; the last one is not padded. Control characters of foreign text are removed. */
export function table(head: readonly string[], rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  if (rows.length === 0) return 'none';
  const cells = rows.map((row) => row.map((cell) => oneLine(cell === null || cell === undefined ? '' : String(cell))));
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => widthOf(row[column] ?? ''))));
  const pad = (cell: string, column: number): string => cell + ' '.repeat(Math.max(0, widths[column]! - widthOf(cell)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : pad(cell, column)))
      .join('  ')
      .trimEnd();
  return [styleText('bold', line(head)), ...cells.map(line)].join('\n');
}

/** Control characters but tab and line feed, zero-width ones, and those that turn the direction of writing. */
// oxlint-disable-next-line no-control-regex -- they are what is removed
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text from elsewhere without what could move a terminal's cursor or hide. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(UNSAFE, '');
}

/** The same on one line, for a cell of a table. */
export function oneLine(text: string): string {
  return plain(text)
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('\t', ' ');
}

/** At most so many characters, with a mark where it was cut. */
export function shorten(text: string, length: number): string {
  const characters = [...oneLine(text)];
  return characters.length <= length ? characters.join('') : `${characters.slice(0, length - 1).join('')}…`;
}

/** Columns of a terminal, near enough: East Asian wide characters and emoji take two, marks none. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}|\u200d|\ufe0f/u.test(character)) continue;
    width +=
      /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}

/** `2 min ago`, `in 3 h`, from an ISO 8601 time. */
export function ago(iso: string | null, now: number): string {
  if (iso === null) return '';
  const ms = now - Date.parse(iso);
  const [unit, size] = UNITS.find(([, length]) => Math.abs(ms) >= length) ?? ['s', 1_000];
  const count = `${Math.round(Math.abs(ms) / size)} ${unit}`;
  return ms >= 0 ? `${count} ago` : `in ${count}`;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
];

export const money = (usd: number): string => (usd === 0 ? '$0' : `$${usd.toFixed(usd < 0.01 ? 5 : 2)}`);

export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : bytes < 1e10 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.round(bytes / 1e9)} GB`;
}

/** A JSON value for a person: text as it is, all else indented. */
export function show(value: unknown): string {
  return typeof value === 'string' ? plain(value) : plain(JSON.stringify(value, null, 2) ?? '');
}
