import { createHash } from 'node:crypto';
import { AppError } from '#core/errors';
import type { NewMemory } from './contract.ts';
import { holdsRecalled } from './recall.ts';

const MOST_TEXT_BYTES = 100_000;
const MOST_METADATA_BYTES = 32_000;

/** What every text must pass before it becomes a memory. */
export function admit({ text, metadata, provenance }: Pick<NewMemory, 'text' | 'metadata' | 'provenance'>): void {
  if (text.trim() === '') throw new AppError('invalid', 'memory.empty', 'memory: text: empty; give it at least a word');
  const bytes = Buffer.byteLength(text);
  if (bytes > MOST_TEXT_BYTES)
    throw new AppError(
      'invalid',
      'memory.too_long',
      `memory: text: ${bytes} bytes; at most ${MOST_TEXT_BYTES}: store a summary, or keep the whole as a document`,
      { bytes, most: MOST_TEXT_BYTES },
    );
  const metadataBytes = Buffer.byteLength(JSON.stringify(metadata ?? {}));
  if (metadataBytes > MOST_METADATA_BYTES)
    throw new AppError('invalid', 'memory.metadata_too_long', `memory: metadata: ${metadataBytes} bytes; at most ${MOST_METADATA_BYTES}`, {
      bytes: metadataBytes,
      most: MOST_METADATA_BYTES,
    });
  if (provenance?.recalled || holdsRecalled(text)) {
    throw new AppError('invalid', 'memory.recalled_text', 'memory: text: it was itself recalled from memory; store only what is new');
  }
}

/** What tells one memory of a scope from another: what the caller says, else the page, else the text whatever its spacing and case. */
export function identityOf(
  { identity, url, text }: Pick<NewMemory, 'identity' | 'url' | 'text'>,
  canonicalUrl: (url: string) => string,
): string {
  const given = identity ?? url;
  if (given) return canonicalUrl(given);
  return `text:${createHash('sha256').update(text.trim().replace(/\s+/g, ' ').toLowerCase()).digest('base64url')}`;
}
