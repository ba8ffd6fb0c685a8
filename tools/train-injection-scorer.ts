// Learns the weights of the injection scorer (src/domain/content/injection) and measures them on what was held out of the learning.
// Usage: node tools/train-injection-scorer.ts [more.jsonl …]   lines { label, text, goal?, pair?, kind?, source }; writes weights.ts
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { featuresOf } from '../src/domain/content/injection/features.ts';
import { logitOf, windowsIn } from '../src/domain/content/injection/judge.ts';
import { groupOf, isHeldOut, measure, type Line } from '../src/domain/content/injection/measure.ts';
import { buildLexicon } from '../src/domain/content/injection/words.ts';

const MODULE = join(import.meta.dirname, '..', 'src', 'domain', 'content');
const FILES = ['injections.jsonl', 'ordinary.jsonl', 'languages.jsonl'].map((name) => join(MODULE, 'fixtures', name));

interface Example {
  readonly line: Line;
  /** Features of each window. */
  readonly windows: readonly (readonly string[])[];
}

/** How one learner learns; several are averaged. */
interface Way {
  readonly fewestGroups: number;
  readonly wordShrink: number;
  readonly epochs: number;
  readonly rate: number;
  /** So many windows of an ordinary text, and of an injected one, are learnt from: the worst. */
  readonly ordinary: number;
  readonly injected: number;
}

const USUAL: Way = { fewestGroups: 3, wordShrink: 0.01, epochs: 20, rate: 0.05, ordinary: 1, injected: 1 };
const WAYS: readonly Way[] = [
  USUAL,
  { ...USUAL, ordinary: 3 },
  { ...USUAL, ordinary: 2, epochs: 14, fewestGroups: 4 },
  { ...USUAL, rate: 0.1, wordShrink: 0.03 },
  { ...USUAL, ordinary: 3, injected: 2 },
];
const CONCEPT_SHRINK = 0.0005;
/** A word seen in no ordinary text counts only if very many different attacks hold it: else it is their subject, not their manner. */
const GROUPS_OF_A_NEW_WORD = 10;
/** Where learning begins, so that the first windows chosen are sensible. */
const BEGINNING: Readonly<Record<string, number>> = {
  'override+instruction': 2,
  'override+prior': 1.5,
  p_your_answer: 1,
  secret: 1,
  m_chat: 2,
  m_tag: 1,
  p_code_use: 1,
  m_code: 1,
  act: 0.3,
  p_from_now: 1,
  p_system_prompt: 1,
  'reveal+secret': 1,
  persona: 0.7,
  encode: 0.5,
};

const isWord = (name: string): boolean => name[1] === ':';

/** Weighted logistic regression over the worst windows of each text (AdaGrad), words kept few. */
function learn(examples: readonly Example[], way: Way): Map<string, number> {
  const groups = new Map<string, Set<string>>();
  const ordinary = new Set<string>();
  for (const { line, windows } of examples)
    for (const name of windows.flat()) {
      groups.set(name, (groups.get(name) ?? new Set()).add(groupOf(line)));
      if (!line.label) ordinary.add(name);
    }
  const isKnown = (name: string): boolean => {
    const seen = groups.get(name)!.size;
    if (!isWord(name)) return true;
    return seen >= way.fewestGroups && /^.:[a-z0-9 ]+$/.test(name) && (ordinary.has(name) || seen >= GROUPS_OF_A_NEW_WORD);
  };
  const weights = new Map([...groups.keys()].filter(isKnown).map((name) => [name, BEGINNING[name] ?? 0]));
  weights.set('bias', -2);
  const squares = new Map<string, number>();
  const positives = examples.filter(({ line }) => line.label).length;
  const push = (name: string, gradient: number): void => {
    const square = (squares.get(name) ?? 1e-6) + gradient * gradient;
    squares.set(name, square);
    weights.set(name, weights.get(name)! - (way.rate * gradient) / Math.sqrt(square));
  };
  const random = seeded(12_345);
  for (let epoch = 0; epoch < way.epochs; epoch += 1) {
    for (const { line, windows } of shuffled(examples, random)) {
      const ranked = windows
        .map((names) => ({ names, logit: logitOf(new Set(names), weights) }))
        .toSorted((a, b) => b.logit - a.logit)
        .slice(0, line.label ? way.injected : way.ordinary);
      const share = examples.length / 2 / (line.label ? positives : examples.length - positives);
      for (const { names, logit } of ranked) {
        const gradient = (1 / (1 + Math.exp(-logit)) - Number(line.label)) * share;
        push('bias', gradient);
        for (const name of names) if (weights.has(name)) push(name, gradient);
      }
    }
    for (const [name, weight] of weights) {
      const shrink = isWord(name) ? way.wordShrink : CONCEPT_SHRINK;
      if (name !== 'bias') weights.set(name, Math.sign(weight) * Math.max(0, Math.abs(weight) * (1 - shrink) - shrink / 2));
    }
  }
  return weights;
}

function average(all: readonly Map<string, number>[]): Map<string, number> {
  const names = new Set(all.flatMap((weights) => [...weights.keys()]));
  return new Map([...names].map((name) => [name, all.reduce((sum, weights) => sum + (weights.get(name) ?? 0), 0) / all.length]));
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) / 0x7fffffff;
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((it) => ({ it, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ it }) => it);
}

const lexicon = buildLexicon();
const lines = [...FILES, ...process.argv.slice(2)].flatMap((file) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Line),
);
const examples = [...new Map(lines.map((line) => [line.id, line])).values()].map((line): Example => ({
  line,
  windows: windowsIn(line.text).map(({ text, around }) => [...featuresOf(lexicon, text, around)]),
}));
const judged = (set: readonly Example[], weights: ReadonlyMap<string, number>) =>
  set.map(({ line, windows }) => ({
    label: line.label,
    score: Math.max(weights.get('bias')!, ...windows.map((names) => logitOf(new Set(names), weights))),
  }));

// Five other splits say how much the number depends on what was held out.
const splits = Array.from({ length: 5 }, (_, seed) => {
  const isOut = ({ line }: Example): boolean =>
    createHash('sha256')
      .update(`${seed} ${groupOf(line)}`)
      .digest()[0]! < 77;
  const weights = average(
    WAYS.map((way) =>
      learn(
        examples.filter((it) => !isOut(it)),
        way,
      ),
    ),
  );
  return measure(judged(examples.filter(isOut), weights), 0.05);
});
console.log('other splits', splits.map(({ auc, recall }) => `AUC ${auc.toFixed(3)}, recall ${recall.toFixed(3)}`).join(' | '));

const learnt = examples.filter(({ line }) => !isHeldOut(line));
const weights = average(WAYS.map((way) => learn(learnt, way)));
const inside = measure(judged(learnt, weights), 0.05);
const out = measure(
  judged(
    examples.filter(({ line }) => isHeldOut(line)),
    weights,
  ),
  0.05,
);
console.log('learnt', learnt.length, inside);
console.log('held out', examples.length - learnt.length, out);
// 0.5 is to mean: one ordinary text in twenty. The middle of the other splits' thresholds is used, not that of the part held out.
const threshold = splits.map((it) => it.threshold).toSorted((a, b) => a - b)[2]!;
weights.set('bias', weights.get('bias')! - threshold);
const kept = [...weights].filter(([, weight]) => Math.abs(weight) >= 0.03).toSorted(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(
  join(MODULE, 'injection', 'weights.ts'),
  `// Written by tools/train-injection-scorer.ts. Log odds of each feature: concepts and marks, words (w:), pairs (b:), first words (f:).\nexport const WEIGHTS = \`\n${kept.map(([name, weight]) => `${name}=${weight.toFixed(2)}`).join('\n')}\n\`;\n`,
);
console.log('kept', kept.length, 'features; threshold', threshold.toFixed(3));
