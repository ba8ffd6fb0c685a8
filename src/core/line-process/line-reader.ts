import { AppError } from '../errors.ts';

/** Cuts a stream of bytes into lines of UTF-8. */
export interface LineReader {
  /** Throws `process.line_too_long`, and what `onLine` throws. */
  add(chunk: Uint8Array): void;
}

const NEW_LINE = 10;

/** Holds at most one unfinished line; what follows the last line break is not a line. */
export function createLineReader(longestBytes: number, onLine: (line: string) => void): LineReader {
  const decoder = new TextDecoder();
  let held: Uint8Array[] = [];
  let bytes = 0;

  function hold(piece: Uint8Array): void {
    bytes += piece.byteLength;
    if (bytes > longestBytes)
      throw new AppError('limited', 'process.line_too_long', `A message is longer than ${longestBytes} bytes`, { longestBytes });
    held.push(piece);
  }

  return {
    add(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(NEW_LINE); at !== -1; at = chunk.indexOf(NEW_LINE, from)) {
        hold(chunk.subarray(from, at));
        const line = decoder.decode(held.length === 1 ? held[0] : Buffer.concat(held));
        held = [];
        bytes = 0;
        from = at + 1;
        onLine(line);
      }
      if (from < chunk.byteLength) hold(chunk.subarray(from));
    },
  };
}
