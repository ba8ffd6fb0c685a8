import { type Command, InvalidArgumentError } from 'commander';
import type { NewGrant } from '#policy/contract';
import { fromNow } from './arguments.ts';

/** The conditions of a grant as they are typed. */
export interface GrantOptions {
  readonly once?: boolean;
  readonly expires?: string;
  readonly hours?: { readonly from: string; readonly to: string };
  readonly days?: number[];
  readonly zone?: string;
  readonly rate?: { readonly times: number; readonly perMs: number };
  readonly depth?: string;
  readonly budget?: string;
  readonly takes?: string[];
  readonly reason?: string;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DAYS: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

export function grantOptions(command: Command, effect: NewGrant['effect']): Command {
  command
    .option('--expires <time>', 'for so long: 30d, 12h', fromNow)
    .option('--hours <from-to>', 'only within these hours: 09:00-17:30', hours)
    .option('--days <days...>', 'only on these days: mon tue', days)
    .option('--zone <zone>', 'time zone of the hours: Europe/Rome; that of this machine when left out')
    .option('--depth <count>', 'only with at most so many principals before it')
    .option('--takes <labels...>', 'labels that the text at hand may carry: untrusted, private; the sink decides when left out')
    .option('--reason <text>', 'why, for later');
  if (effect !== 'allow') return command;
  return command
    .option('--once', 'for one use')
    .option('--rate <times/period>', 'at most so often: 10/1h', rate)
    .option('--budget <usd>', 'only while the run has spent less');
}

export function grantFrom(
  effect: NewGrant['effect'],
  { principal, capability, resource }: { readonly principal: string; readonly capability: string; readonly resource: string | undefined },
  { once, expires, hours: window, days: on, zone, rate: limit, depth, budget, takes, reason }: GrantOptions,
): NewGrant {
  const timeZone = zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const hourly = window ?? (on && { from: '00:00', to: '00:00' });
  return {
    principal,
    capability,
    effect,
    ...(resource !== undefined && { resource }),
    ...(once && { once }),
    ...(expires !== undefined && { expiresAt: expires }),
    ...(reason !== undefined && { reason }),
    conditions: {
      ...(hourly && { hours: { ...hourly, timeZone, ...(on && { days: on }) } }),
      ...(limit && { rate: limit }),
      ...(depth !== undefined && { maxDepth: Number(depth) }),
      ...(budget !== undefined && { budgetUsd: Number(budget) }),
      ...(takes && { labels: takes as ('untrusted' | 'private')[] }),
    },
  };
}

function hours(text: string): { from: string; to: string } {
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? [];
  if (from === undefined || to === undefined) throw new InvalidArgumentError('Give hours such as 09:00-17:30.');
  return { from, to };
}

function days(text: string, before: readonly number[] = []): number[] {
  const day = DAYS.indexOf(text.slice(0, 3).toLowerCase());
  if (day === -1) throw new InvalidArgumentError(`Give days such as ${DAYS.slice(1, 4).join(' ')}.`);
  return [...before, day];
}

function rate(text: string): { times: number; perMs: number } {
  const [, times, count = '1', unit] = /^(\d{1,4})\/(\d{0,4})([smhd])$/.exec(text) ?? [];
  if (times === undefined || unit === undefined) throw new InvalidArgumentError('Give a rate such as 10/1h or 3/d.');
  return { times: Number(times), perMs: Number(count || '1') * UNIT_MS[unit]! };
}
