import { createHash } from 'node:crypto';

/**
 * Keys that are printed in public documents and samples, and that everyone has: the first 16 hex characters of their SHA-256, so
 * that this file holds no key. From the allow list of the gitleaks rule `gcp-api-key` (MIT).
 */
const SAMPLES = new Set(
  `f56e323494a6ffc2 2037abcaffb2b777 3f370c9dd8225c63 e4a5542bb7fd7b67 a19f89ab3555eac1 0b476bdf9acf2123 eb540d2b6ee2a0a4
  37f8f09bdf12c2f2 8731261cb72d8626 49f777db995e8260 27a9a42931dff7eb dc0fcf046c61640c 4c98242dcadc8b29 ea9bb1082cf95663
  3a8b61d0f636b007 a6c814bc555ae62c`.split(/\s+/),
);

/** Whether a value is such a key. */
export function isSample(value: string): boolean {
  return value.startsWith('AIza') && SAMPLES.has(createHash('sha256').update(value).digest('hex').slice(0, 16));
}
