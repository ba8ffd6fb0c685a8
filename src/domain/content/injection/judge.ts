import type { InjectionScore } from '../contract.ts';
import { readingsOf } from './disguise.ts';
import { featuresOf } from './features.ts';
import { reasonsOf } from './reasons.ts';
import { WEIGHTS } from './weights.ts';
import { windowsOf, type Window } from './windows.ts';
import { buildLexicon, type Lexicon } from './words.ts';

/** Windows judged before the event loop gets its turn. */
const AT_ONCE = 50;

const LEXICON: Lexicon = buildLexicon();
const LEARNT: ReadonlyMap<string, number> = new Map(
  WEIGHTS.trim()
    .split('\n')
    .map((line): [string, number] => [line.slice(0, line.lastIndexOf('=')), Number(line.slice(line.lastIndexOf('=') + 1))]),
);
/** The windows of a text in all its readings; together at most a few times as long as the text. */
export function windowsIn(text: string): Window[] {
  return readingsOf(text).flatMap(windowsOf);
}

/** The worst window decides: an order is not made good by what stands around it. */
export async function judge(text: string): Promise<InjectionScore> {
  let worst = { logit: logitOf(new Set(), LEARNT), features: new Set<string>() as ReadonlySet<string> };
  for (const [at, window] of windowsIn(text).entries()) {
    const features = featuresOf(LEXICON, window.text, window.around);
    const logit = logitOf(features, LEARNT);
    if (logit > worst.logit) worst = { logit, features };
    if (at % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  const score = Math.round(1_000 / (1 + Math.exp(-worst.logit))) / 1_000;
  return { score, reasons: reasonsOf(worst.features, LEARNT, score) };
}

/** How strongly features speak for an order, in log odds. */
export function logitOf(features: ReadonlySet<string>, weights: ReadonlyMap<string, number>): number {
  let logit = weights.get('bias') ?? 0;
  for (const name of features) logit += weights.get(name) ?? 0;
  return logit;
}
