const WIDEST_CELL = 40;

/** Rows of a Markdown table as aligned lines, for a font of fixed width. */
export function tableText(rows: readonly string[]): string {
  const cells = rows.map(cellsOf);
  const columns = Math.max(...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.min(WIDEST_CELL, Math.max(...cells.map((row) => row[column]?.length ?? 0))),
  );
  const lines = cells.map((row) =>
    widths
      .map((width, column) => (row[column] ?? '').padEnd(width))
      .join('  ')
      .trimEnd(),
  );
  return [lines[0]!, widths.map((width) => '─'.repeat(width)).join('  '), ...lines.slice(1)].join('\n');
}

function cellsOf(row: string): string[] {
  const inner = row
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) =>
    cell
      .trim()
      .replaceAll('\\|', '|')
      .replace(/(\*\*|__|`|~~)(.+?)\1/g, '$2'),
  );
}
