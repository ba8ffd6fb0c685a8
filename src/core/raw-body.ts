import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from './errors.ts';

/** The body of a raw route as text. Throws `input.too_large`, before anything is read where the length is announced, so that the answer arrives. */
export async function readBody(req: IncomingMessage, mostBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let size = Number(req.headers['content-length'] ?? 0);
  if (size > mostBytes) throw tooLarge(mostBytes);
  size = 0;
  for await (const piece of req as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > mostBytes) throw tooLarge(mostBytes);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  res.end(text);
}

function tooLarge(mostBytes: number): AppError {
  return new AppError('invalid', 'input.too_large', `The body is larger than ${mostBytes} bytes: send smaller pictures or less history`, {
    mostBytes,
  });
}
