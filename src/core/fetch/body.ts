import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { AppError } from '../errors.ts';

/** What this program can undo, best first (RFC 9110 section 8.4, RFC 8878). */
export const ACCEPT_ENCODING = 'zstd, br, gzip, deflate';

/** A server has no reason to compress more often than this; each layer multiplies the size of a bomb. */
const MOST_LAYERS = 2;

/**
 * The body as it was meant, decompressed as it flows; destroying it destroys its source. The consumer counts the bytes
 * that come out, so a bomb costs one chunk more than the limit.
 */
export async function decode(body: Readable, contentEncoding: string | null): Promise<Readable> {
  const layers = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((it) => it.trim())
    .filter((it) => it !== '' && it !== 'identity');
  if (layers.length > MOST_LAYERS)
    throw new AppError('unavailable', 'fetch.broken', `The answer is compressed ${layers.length} times over`);
  let stream = body;
  for (const layer of layers.toReversed()) {
    const inflater = await inflaterFor(layer, stream);
    stream = pipeline(stream, inflater, () => {});
  }
  return stream;
}

async function inflaterFor(layer: string, source: Readable): Promise<Transform> {
  switch (layer) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress();
    case 'deflate':
      return ((await firstByte(source)) & 0x0f) === 8 ? createInflate() : createInflateRaw();
    default:
      throw new AppError('unavailable', 'fetch.broken', `The answer is compressed as "${layer.slice(0, 40)}", which was not offered`);
  }
}

/** The first byte, left in the stream: `deflate` means zlib or raw deflate in the wild, and only this byte tells. */
function firstByte(source: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    source.once('error', reject);
    source.once('readable', () => {
      const chunk = source.read() as Buffer | null;
      if (chunk) source.unshift(chunk);
      source.off('error', reject);
      resolve(chunk?.[0] ?? 8);
    });
  });
}
