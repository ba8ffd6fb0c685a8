/** A spreadsheet takes such a cell for a formula; an apostrophe before it says that it is a text. */
const FORMULA = /^'*[=+\-@\t\r]/;

/** One line of CSV (RFC 4180, but with a line feed alone). */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => quoted(FORMULA.test(cell) ? `'${cell}` : cell)).join(',')}\n`;
}

function quoted(cell: string): string {
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** Reads what `csvLine` wrote, a row at a time; null for what cannot be one. */
export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<readonly string[], void, void> {
  let cells: string[] = [];
  let cell = '';
  let state: 'plain' | 'quoted' | 'after' = 'plain';
  for await (const chunk of chunks) {
    for (const char of chunk) {
      if (state === 'quoted') {
        if (char === '"') state = 'after';
        else cell += char;
      } else if (char === '"') {
        if (state === 'after') cell += '"';
        state = 'quoted';
      } else if (char === ',' || char === '\n') {
        cells.push(unescaped(cell));
        cell = '';
        state = 'plain';
        if (char === '\n') {
          yield cells;
          cells = [];
        }
      } else if (char !== '\r') cell += char;
    }
  }
  if (cell !== '' || cells.length > 0) yield [...cells, unescaped(cell)];
}

function unescaped(cell: string): string {
  return /^'+[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell;
}
