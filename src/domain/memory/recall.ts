import { revealText, sealText } from '#content';
import type { MemoryHit } from './contract.ts';

const TAG = 'recalled-memory';

/**
 * What is put before a model of memories that were found: each in a tag of its own. The write gate knows the tag, so
 * what was recalled is never learnt again as if it were news.
 */
export function recallBlock(hits: readonly Pick<MemoryHit, 'id' | 'kind' | 'createdAt' | 'passage' | 'labels'>[]): string {
  return hits
    .map(
      ({ id, kind, createdAt, passage, labels }) =>
        `<${TAG} id="${id}" kind="${kind}" date="${createdAt.slice(0, 10)}" labels="${labels.join(' ')}">\n${sealText(revealText(passage).text).replaceAll(TAG, 'recalled memory')}\n</${TAG}>`,
    )
    .join('\n');
}

/** Whether a text holds such a block. */
export function holdsRecalled(text: string): boolean {
  return text.includes(`<${TAG} `);
}
