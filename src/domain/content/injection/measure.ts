import { createHash } from 'node:crypto';

/** One line of a labelled collection. */
export interface Line {
  readonly id: string;
  readonly label: boolean;
  readonly text: string;
  readonly source: string;
  readonly kind?: string;
  readonly goal?: string;
  readonly pair?: string;
}

/** Lines that must not be split between learning and measuring: they carry the same attack, or are versions of one text. */
export function groupOf({ goal, pair, kind, source, text }: Line): string {
  return goal ?? pair ?? (source === 'own templates' && kind ? kind : text.slice(0, 60));
}

/** Three in ten groups are never learnt from. */
export function isHeldOut(line: Line): boolean {
  return (
    createHash('sha256')
      .update(`held out ${groupOf(line)}`)
      .digest()[0]! < 77
  );
}

export interface Measured {
  /** Area under the curve: how often an injected text scores above an ordinary one. */
  readonly auc: number;
  /** Of the injected texts, at a threshold that so many of the ordinary ones pass. */
  readonly recall: number;
  readonly threshold: number;
}

export function measure(judged: readonly { readonly label: boolean; readonly score: number }[], falsePositiveRate: number): Measured {
  const injected = judged.filter(({ label }) => label).map(({ score }) => score);
  const ordinary = judged
    .filter(({ label }) => !label)
    .map(({ score }) => score)
    .toSorted((a, b) => b - a);
  let above = 0;
  for (const one of injected) for (const other of ordinary) above += one > other ? 1 : one === other ? 0.5 : 0;
  const threshold = ordinary[Math.floor(ordinary.length * falsePositiveRate)] ?? 0;
  return {
    auc: above / injected.length / ordinary.length,
    recall: injected.filter((score) => score > threshold).length / injected.length,
    threshold,
  };
}
