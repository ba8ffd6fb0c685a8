import type { ReactNode } from 'react';

const TONES = {
  neutral: 'bg-sunken text-ink-soft',
  accent: 'bg-accent-soft text-accent',
  good: 'bg-good-soft text-good',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
} as const;

export type Tone = keyof typeof TONES;

export function Badge({
  tone = 'neutral',
  live = false,
  children,
}: {
  readonly tone?: Tone;
  readonly live?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <span className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}>
      {live && <span aria-hidden className="size-1.5 animate-breathe rounded-full bg-current" />}
      {children}
    </span>
  );
}
