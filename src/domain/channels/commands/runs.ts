import { parseJson, AnyJson, type Json } from '#core/json';
import { explainRun } from '#runs';
import type { Command } from '../command.ts';
import { findRun } from './find-run.ts';
import { findWorkflow } from './find-workflow.ts';
import { runLine, shortId } from './words.ts';

const LINES_OF_WHY = 25;

/** Starts a workflow, one that is switched off too: that only keeps it from starting by itself. */
export const run: Command = {
  name: 'run',
  usage: '<workflow> [input]',
  summary: 'Starts a workflow; a name with blanks may stand in quotes, the input is text or JSON',
  grant: 'workflows:run',
  argument: 'required',
  async run({ ports, argument, messageId, by }) {
    const { workflow, rest } = await findWorkflow(ports.workflows, argument);
    const input = readInput(rest);
    const started = await ports.workflows.start(workflow.id, {
      ...(input !== undefined && { input }),
      trigger: { kind: 'channel', id: messageId, by },
      labels: ['owner'],
      idempotencyKey: `channel:${messageId}`,
    });
    return `Started **${workflow.title}**: run \`${shortId(started.id)}\`.`;
  },
};

/** JSON when it looks like it, else text. */
function readInput(text: string): Json | undefined {
  if (text === '') return undefined;
  return /^[[{]/.test(text) ? parseJson(text, AnyJson, 'input') : text;
}

/** What is going on. */
export const runs: Command = {
  name: 'runs',
  usage: '',
  summary: 'What is running now, and what ended last',
  grant: 'runs:read',
  argument: 'none',
  async run({ ports, now }) {
    const { items } = await ports.runs.list({ limit: 50 });
    const active = items.filter((each) => each.endedAt === null);
    const ended = items.filter((each) => each.endedAt !== null).slice(0, 5);
    if (items.length === 0) return 'Nothing has run yet.';
    return [
      active.length === 0 ? 'Nothing is running.' : '**Now**',
      ...active.map((each) => runLine(each, now)),
      ...(ended.length === 0 ? [] : ['**Before**', ...ended.map((each) => runLine(each, now))]),
    ].join('\n');
  },
};

/** Stops a run. */
export const cancel: Command = {
  name: 'cancel',
  usage: '<run>',
  summary: 'Stops a run; what it has done stays done',
  grant: 'runs:control',
  argument: 'required',
  async run({ ports, words, by }) {
    const found = await findRun(ports.runs, words[0]!);
    const after = await ports.runs.cancel(found.id, by);
    return `**${after.title}** (\`${shortId(after.id)}\`) is ${after.status}.`;
  },
};

/** The journal of a run in plain words. */
export const why: Command = {
  name: 'why',
  usage: '<run>',
  summary: 'Why a run did what it did',
  grant: 'runs:read',
  argument: 'required',
  async run({ ports, words }) {
    const found = await findRun(ports.runs, words[0]!);
    const lines = explainRun(await ports.runs.detail(found.id));
    const shown = lines.slice(-LINES_OF_WHY).map(({ at, text }) => `- ${at === null ? '' : `${at.slice(11, 19)} `}${text}`);
    return [
      `**${found.title}**, ${found.status}`,
      ...(lines.length > shown.length ? [`… ${lines.length - shown.length} earlier`] : []),
      ...shown,
    ].join('\n');
  },
};
