import { pipeline, Transform, type Readable } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { AppError } from '../errors.ts';

/** What this program can undo, best first (RFC 9110 section 8.4, RFC 8878). */
export const ACCEPT_ENCODING = 'zstd, br, gzip, deflate';

/** A server has no reason to compress more often than this; each layer multiplies the size of a bomb. */
const MOST_LAYERS = 2;
/** 8 MiB, the most that a server may ask for (RFC 9659); a frame could claim 128 MiB. */
const ZSTD_WINDOW_LOG = 23;

/** What no text costs more to compress than it is long. */
const OVERHEAD_BYTES = 64 * 1024;

/**
 * The body as it was meant, decompressed as it flows; destroying it destroys its source. The consumer counts the bytes
 * that come out, so a bomb costs one chunk more than the limit; those that go in are counted here, as they may come to nothing for ever.
 */
export async function decode(body: Readable, contentEncoding: string | null, maxBytes: number): Promise<Readable> {
  const layers = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((it) => it.trim())
    .filter((it) => it !== '' && it !== 'identity');
  if (layers.length > MOST_LAYERS)
    throw new AppError('unavailable', 'fetch.broken', `The answer is compressed ${layers.length} times over`);
  if (layers.length === 0) return body;
  let stream: Readable = pipeline(body, counted(maxBytes), () => {});
  for (const layer of layers.toReversed()) {
    const inflater = await inflaterFor(layer, stream);
    stream = pipeline(stream, inflater, () => {});
  }
  return stream;
}

/** The error of a body that is larger than it may be. */
export function tooLarge(maxBytes: number): AppError {
  return new AppError('limited', 'fetch.too_large', `The answer is larger than ${maxBytes} bytes`, { maxBytes });
}

function counted(maxBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes + OVERHEAD_BYTES) done(tooLarge(maxBytes));
      else done(null, chunk);
    },
  });
}

async function inflaterFor(layer: string, source: Readable): Promise<Transform> {
  switch (layer) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } });
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
