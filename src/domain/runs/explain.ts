import type { RunDetail, StepRecord, TriggerRef } from './contract.ts';

/** One sentence of an explanation; `at` is ISO 8601, or null for what has no moment. */
export interface Line {
  readonly at: string | null;
  readonly text: string;
}

/** A run's journal in plain words: why it did what it did, and why it did not do the rest. */
export function explainRun(run: RunDetail): Line[] {
  const lines: Line[] = [
    { at: run.createdAt, text: `${run.dryRun ? 'A dry run: nothing outside was touched. ' : ''}It was started ${cause(run.trigger)}.` },
    ...run.steps.flatMap(stepLines),
    ...run.journal
      .filter(({ type }) => type !== 'llm.reserved')
      .map(({ at, type, step, data }) => ({ at, text: `${step ? `${step}: ` : ''}${journalText(type, data as Record<string, unknown>)}` })),
    ...run.effects.map((effect) => ({
      at: effect.createdAt,
      text: `${effect.step}: ${effect.kind} to ${effect.target} ${EFFECT_WORDS[effect.status]}${effect.error ? ` (${effect.error.message})` : ''}.`,
    })),
  ];
  const sorted = lines.toSorted((a, b) => (a.at ?? '').localeCompare(b.at ?? ''));
  return [...sorted, { at: run.endedAt, text: ending(run) }];
}

const EFFECT_WORDS = {
  intended: 'was begun and not finished',
  done: 'was done, once',
  failed: 'did not happen',
  unknown: 'has an unknown outcome; it was not repeated, and waits for your word',
  planned: 'would have been done',
} as const;

const CAUSES: Readonly<Record<TriggerRef['kind'], string>> = {
  owner: 'by you',
  api: 'over the API',
  cron: 'by its schedule',
  interval: 'by its interval',
  once: 'at the time set for it',
  channel: 'from a channel',
  webhook: 'by a webhook',
  event: 'by an event',
  workflow: 'by another workflow',
  mcp: 'over MCP',
  first_start: 'as a first example',
};

function cause({ kind, by, id }: TriggerRef): string {
  const who = by && by !== 'owner' ? ` (${by})` : '';
  return `${CAUSES[kind]}${who}${id ? `, ${id}` : ''}`;
}

function stepLines(step: StepRecord): Line[] {
  const began = {
    at: step.startedAt,
    text: `${step.path}: ${step.skill ? `ran ${step.skill}` : 'began'}${step.attempt > 1 ? `, ${step.attempt} times` : ''}.`,
  };
  const read = step.taken.map((it) => ({
    at: step.endedAt ?? step.startedAt,
    text: `${step.path}: read ${it.label} text from ${it.from}.`,
  }));
  switch (step.status) {
    case 'succeeded':
      return [began, ...read, { at: step.endedAt, text: `${step.path}: ended as ${step.outcome}.` }];
    case 'skipped':
      return [
        {
          at: step.endedAt,
          text: `${step.path}: was skipped, ${step.error ? `because it failed (${step.error.message}) and may be left out` : 'because its condition was not met'}.`,
        },
      ];
    case 'failed':
      return [
        began,
        ...read,
        { at: step.endedAt, text: `${step.path}: failed as ${step.outcome}: ${step.error?.message ?? 'no reason was given'}.` },
      ];
    case 'waiting':
      return [began, ...read, { at: null, text: `${step.path}: waits${step.wakeAt ? ` until ${step.wakeAt}` : ''}.` }];
    case 'cancelled':
      return [began, { at: step.endedAt, text: `${step.path}: was cancelled.` }];
    case 'running':
      return [began];
  }
}

function journalText(type: string, data: Record<string, unknown>): string {
  const error = (data['error'] as { message?: string } | undefined)?.message;
  switch (type) {
    case 'secrets.taken_out':
      return `its ${String(data['from'])} held secrets, which were taken out before it was kept: ${(data['as'] as readonly string[]).join(', ')}. To use one, store it with "castellan secret set NAME" and write @secret:NAME where the workflow needs it.`;
    case 'step.retry':
      return `failed (${error}) and was tried again after ${Number(data['pauseMs']) / 1_000} s.`;
    case 'content.flagged':
      return `read text that looks like orders to a model (${(data['reasons'] as readonly string[]).join(', ')}). It decides nothing; what the run may do does not change by it.`;
    case 'step.fallback':
      return `failed (${error}); ${String(data['skill'])} was asked instead.`;
    case 'llm.settled': {
      const cost = Number(data['costUsd']);
      const tokens = data['usage'] as { inputTokens?: number; outputTokens?: number } | null;
      return `${String(data['provider'])} (${String(data['model'])}) ${data['status'] === 'ok' ? 'answered' : `ended as ${String(data['status'])}`}: ${tokens?.inputTokens ?? 0} tokens in, ${tokens?.outputTokens ?? 0} out, ${cost === 0 ? 'free' : `$${cost.toFixed(5)}`}.`;
    }
    case 'llm.hop':
      return `${String(data['provider'])} was left (${String(data['reason'])}); the next provider was asked.`;
    case 'fetch.waited':
      return `${String(data['host'])} is read slowly, as its guest: the page waited ${Math.round(Number(data['waitedMs']) / 1_000)} s for its turn.`;
    case 'feeds.read':
      return `${String(data['feeds'])} feeds were read (${String(data['failed'])} failed, ${String(data['unchanged'])} unchanged): ${String(data['recent'])} recent items, ${String(data['known'])} known already, ${String(data['taken'])} taken.`;
    case 'items.scored': {
      const leftOut = (data['leftOut'] as { title: string; score: number; reason: string }[] | undefined) ?? [];
      const few = leftOut.slice(0, 3).map(({ title, score, reason }) => `"${title}" (${score}: ${reason})`);
      return `${String(data['scored'])} items were rated and ${String(data['kept'])} kept (from ${String(data['threshold'])} up)${few.length > 0 ? `; left out among others ${few.join(', ')}` : ''}.`;
    }
    case 'notify.skipped':
      return `nothing was sent: ${String(data['reason'])}.`;
    case 'policy.ask':
      return `${act(data)} had to be asked about: ${String(data['reason'])}`;
    case 'policy.denied':
      return `${act(data)} was denied: ${String(data['reason'])}`;
    case 'approval.no_route':
      return String(data['message']);
    case 'run.held':
      return `it waited for run ${String(data['behind'])} of the same workflow.`;
    case 'run.cancelled':
      return `it was cancelled ${String(data['why'])}.`;
    case 'run.paused':
      return `it was paused by ${String(data['by'])}.`;
    case 'run.resumed':
      return `it was resumed by ${String(data['by'])}.`;
    case 'run.retried':
      return `it was run again by ${String(data['by'])}.`;
    default:
      return `${type} ${JSON.stringify(data)}`;
  }
}

function act({ principal, capability, resource }: Record<string, unknown>): string {
  return `${String(principal)} wanted to use ${String(capability)} on ${String(resource)}, which`;
}

function ending(run: RunDetail): string {
  switch (run.status) {
    case 'succeeded':
      return `It succeeded as ${run.outcome}, for $${run.costUsd.toFixed(4)}.`;
    case 'failed':
      return `It failed: ${run.error?.message ?? 'no reason was given'}`;
    case 'cancelled':
      return `It was cancelled${run.error ? `: ${run.error.message}` : '.'}`;
    case 'waiting':
      return `It is waiting${run.wakeAt ? ` and goes on at ${run.wakeAt}` : ' for an answer or an event'}.`;
    case 'queued':
      return 'It has not begun yet.';
    case 'paused':
      return 'It is paused until you resume it.';
    case 'running':
      return 'It is running.';
  }
}
