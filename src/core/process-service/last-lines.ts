const LINES = 20;
const LONGEST_LINE = 2_000;

/** Cuts a stream of text into lines, and keeps the last of them. */
export interface LastLines {
  add(text: string): void;
  /** At most 20, the unfinished one included. */
  lines(): readonly string[];
}

/** A line that never ends is cut at 2,000 characters. */
export function createLastLines(onLine: (line: string) => void): LastLines {
  const kept: string[] = [];
  let rest = '';

  function take(line: string): void {
    const cut = line.slice(0, LONGEST_LINE);
    kept.push(cut);
    if (kept.length > LINES) kept.shift();
    onLine(cut);
  }

  return {
    add(text) {
      const pieces = (rest + text).split('\n');
      rest = pieces.pop() ?? '';
      for (const line of pieces) take(line);
      if (rest.length > LONGEST_LINE) {
        take(rest);
        rest = '';
      }
    },
    lines: () => [...kept, ...(rest === '' ? [] : [rest])].slice(-LINES),
  };
}
