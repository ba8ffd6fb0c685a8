import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Base64 = z.string().transform((text) => Buffer.from(text, 'base64').toString());
const Line = z.object({ id: z.string(), label: z.boolean(), provider: z.string(), kind: z.string(), text_b64: Base64 });

/** A text that holds a secret, or one that only looks so. */
export interface Sample {
  readonly id: string;
  readonly isSecret: boolean;
  readonly provider: string;
  readonly text: string;
  /** A third of the lines, by the hash of their ids: reported apart. */
  readonly heldOut: boolean;
}

/** The labelled texts that the scanner is measured on. */
export function readCorpus(): Sample[] {
  return readFileSync(join(import.meta.dirname, 'fixtures', 'secrets.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => Line.parse(JSON.parse(line)))
    .map(({ id, label, provider, text_b64: text }) => ({ id, isSecret: label, provider, text, heldOut: thirdOf(id) }));
}

function thirdOf(id: string): boolean {
  return createHash('sha256').update(id).digest()[0]! % 3 === 0;
}

export interface Measured {
  readonly recall: number;
  readonly falsePositiveRate: number;
  readonly missed: readonly string[];
  readonly wronglyFound: readonly string[];
}

export function measure(samples: readonly Sample[], finds: (text: string) => boolean): Measured {
  const named = (wanted: boolean): string[] =>
    samples.filter(({ isSecret, text }) => isSecret === wanted && finds(text) !== wanted).map(({ id, provider }) => `${id} ${provider}`);
  const [missed, wronglyFound] = [named(true), named(false)];
  const secrets = samples.filter(({ isSecret }) => isSecret).length;
  return {
    recall: 1 - missed.length / secrets,
    falsePositiveRate: wronglyFound.length / (samples.length - secrets),
    missed,
    wronglyFound,
  };
}
