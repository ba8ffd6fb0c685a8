import { stripVTControlCharacters, styleText } from 'node:util';

/** Columns that line up; the last one is not padded. Control characters of foreign text are removed. */
export function table(head: readonly string[], rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  if (rows.length === 0) return 'none';
  const cells = rows.map((row) => row.map((cell) => plain(cell === null || cell === undefined ? '' : String(cell))));
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string => row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!))).join('  ').trimEnd();
  return [styleText('bold', line(head)), ...cells.map(line)].join('\n');
}

/** Text from elsewhere without what could move a terminal's cursor or hide. */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is removed
  return stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, '');
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

/** A JSON value for a person: text as it is, all else indented. */
export function show(value: unknown): string {
  return typeof value === 'string' ? plain(value) : (JSON.stringify(value, null, 2) ?? '');
}
