import type { Command } from '../command.ts';
import { duration } from './words.ts';

/** Whether anybody is there. */
export const ping: Command = {
  name: 'ping',
  usage: '',
  summary: 'Whether I am there',
  grant: 'health:read',
  argument: 'none',
  run: async () => 'pong',
};

/** How the program does. */
export const status: Command = {
  name: 'status',
  usage: '',
  summary: 'How I am doing',
  grant: 'health:read',
  argument: 'none',
  async run({ ports }) {
    const [{ version, upMs, memoryBytes, troubles }, running, waiting, { items: pending }] = await Promise.all([
      ports.status(),
      ports.runs.list({ status: 'running', limit: 500 }),
      ports.runs.list({ status: 'waiting', limit: 500 }),
      ports.approvals.list({ status: 'pending', limit: 500 }),
    ]);
    return [
      `**Castellan ${version}**, up ${duration(upMs)}, ${Math.round(memoryBytes / 1_048_576)} MB`,
      `${running.items.length} running, ${waiting.items.length} waiting, ${pending.length} ${pending.length === 1 ? 'question' : 'questions'} for you`,
      troubles.length === 0 ? 'All is well.' : `Not well:\n${troubles.map((each) => `- ${each}`).join('\n')}`,
    ].join('\n');
  },
};

/** What it can do. */
export const skills: Command = {
  name: 'skills',
  usage: '[name]',
  summary: 'What I can do; with a name, more of one',
  grant: 'skills:read',
  argument: 'optional',
  async run({ ports, argument }) {
    const all = ports.skills.list();
    const wanted = argument.toLowerCase();
    const one = all.find(({ name, aliases }) => name === wanted || aliases.includes(wanted));
    if (one) return `**${one.title}** (\`${one.name}\`)\n${one.description}\nEnds with: ${one.outcomes.join(', ')}`;
    const shown = argument === '' ? all : all.filter(({ name, title }) => name.includes(wanted) || title.toLowerCase().includes(wanted));
    if (shown.length === 0) return `There is no skill like "${argument}".`;
    return shown
      .map(({ name, title, breaker }) => `- \`${name}\` ${title}${breaker.state === 'closed' ? '' : ' (resting after failures)'}`)
      .join('\n');
  },
};

/** The models it thinks with, read from the table of providers. */
export const llm: Command = {
  name: 'llm',
  usage: '',
  summary: 'The models, their health and what they cost today',
  grant: 'llm:read',
  argument: 'none',
  async run({ ports }) {
    const [providers, { total }] = await Promise.all([ports.llm.list(), ports.llm.usage({})]);
    const lines = providers.map(({ name, model, enabled, health, callsToday }) => {
      const state = !enabled ? 'off' : health.state === 'healthy' ? 'ok' : `${health.state}${health.reason ? `: ${health.reason}` : ''}`;
      return `- **${name}** ${model ?? ''} (${state}; ${callsToday} today)`;
    });
    const spent = `Today: ${total.calls} calls, $${total.costUsd.toFixed(4)}`;
    return lines.length === 0 ? `There is no provider yet. ${spent}` : [...lines, spent].join('\n');
  },
};
