import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The folder of the package. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** One generated page of docs/reference. */
export interface Page {
  readonly file: string;
  readonly title: string;
  /** The Markdown below the title, or null while what it describes does not exist. */
  make(): Promise<string | null>;
}

/** Production sources below src that match, in order of name. */
export async function sources(pattern: string): Promise<readonly string[]> {
  const found = await Array.fromAsync(glob(pattern, { cwd: join(ROOT, 'src') }));
  return found.filter((path) => !/\.test\.ts$|(^|\/)(fixtures|fake|testing|testbed|conformance)/.test(path)).toSorted();
}

export async function readSource(path: string): Promise<string> {
  return readFile(join(ROOT, 'src', path), 'utf8');
}

/** Everything that the files export; importing does nothing else, by house rule 2. */
export async function exportsOf(paths: readonly string[]): Promise<readonly unknown[]> {
  const modules = await Promise.all(
    paths.map((path) => import(pathToFileURL(join(ROOT, 'src', path)).href) as Promise<Record<string, unknown>>),
  );
  return modules.flatMap((each) => Object.values(each));
}

/** A Markdown table; a bar or a line break inside a cell does not break it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Sections in order of name, each a heading and a table. */
export function sections<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  head: readonly string[],
  row: (item: T) => readonly string[],
): string {
  const groups = [...Map.groupBy(items, keyOf)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return groups.map(([key, group]) => `## ${key}\n\n${table(head, group.map(row))}`).join('\n\n');
}
