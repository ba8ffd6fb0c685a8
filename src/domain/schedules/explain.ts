import type { Explainer } from '#runs';
import type { OccurrenceStatus } from './contract.ts';
import type { Schedules } from './schedules.ts';

const WORDS: Readonly<Record<OccurrenceStatus, string>> = {
  started: 'It was started',
  late: 'It was started late',
  missed_skipped: 'It was not started',
  missed_merged: 'It was not started by itself',
};

/** Why an occurrence of a schedule did, or did not, start a run. */
export function explainOccurrence(schedules: Schedules): Explainer {
  return async (id) => {
    const it = await schedules.occurrence(id);
    if (!it) return null;
    const schedule = (await schedules.list()).find((each) => each.id === it.scheduleId);
    return {
      title: schedule?.description ?? 'An occurrence of a schedule that is gone',
      lines: [
        { at: it.dueAt, text: 'It fell due.' },
        { at: it.decidedAt, text: `${WORDS[it.status]}: ${it.reason}.` },
        ...(it.runId === null ? [] : [{ at: it.decidedAt, text: `Its run is ${it.runId}; ask about that too.` }]),
      ],
    };
  };
}
