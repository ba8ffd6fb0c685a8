import type { ScanResult } from '#vault/contract';

/** A stretch of a text: plain, or a secret by the name of its provider, of which only the first characters are shown. */
export interface Piece {
  readonly text: string;
  readonly provider: string | null;
}

const SHOWN = 4;

/** A text cut where its secrets begin and end. */
export function cutText(text: string, secrets: ScanResult['secrets']): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { start, end, provider, name } of secrets) {
    if (start > at) pieces.push({ text: text.slice(at, start), provider: null });
    pieces.push({
      text: `${text.slice(start, Math.min(end, start + SHOWN))}…`,
      provider: name === undefined ? provider : `secret:${name}`,
    });
    at = end;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), provider: null });
  return pieces;
}
