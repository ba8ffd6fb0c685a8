import type { Tone } from './badge.tsx';

const TONES: Readonly<Record<Tone, string>> = {
  neutral: 'bg-line-strong',
  accent: 'bg-accent animate-breathe',
  good: 'bg-good',
  warn: 'bg-warn',
  bad: 'bg-bad',
};

/** A state in one glance; its words stand beside it. */
export function Dot({ tone }: { readonly tone: Tone }) {
  return <span aria-hidden className={`inline-block size-2 shrink-0 rounded-full ${TONES[tone]}`} />;
}
