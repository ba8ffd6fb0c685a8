import { z } from 'zod';
import { defineSetting } from '#settings';

export const historyChars = defineSetting({
  key: 'agents.history_chars',
  schema: z.int().min(1_000).max(2_000_000),
  default: 48_000,
  title: 'Memory of a conversation (characters)',
  description: 'How much of what was said before goes to the model with each message; older messages stay stored.',
  category: 'agents',
});

export const windowChars = defineSetting({
  key: 'agents.window_chars',
  schema: z.int().min(8_000).max(8_000_000),
  default: 200_000,
  title: 'Window of one turn (characters)',
  description: 'How much of a turn goes to the model at once. Beyond it older results of tools are shown shortened; nothing is deleted.',
  category: 'agents',
});

export const summaries = defineSetting({
  key: 'agents.summaries',
  schema: z.boolean(),
  default: true,
  title: 'Summaries of long conversations',
  description:
    'What no longer goes to the model word for word goes as a summary, written after a turn by a model of the light tier, on the budget of that turn. The messages stay.',
  category: 'agents',
});

export const recall = defineSetting({
  key: 'agents.recall',
  schema: z.enum(['off', 'workspace', 'owner']),
  default: 'workspace',
  title: 'Recall',
  description:
    'What comes to mind with each message of yours: what was said earlier and the memories of the workspace; with "owner" also memories of no workspace; nothing with "off". A chat that others hear is only given what was said in it.',
  category: 'agents',
});

export const recallChars = defineSetting({
  key: 'agents.recall_chars',
  schema: z.int().min(1_000).max(40_000),
  default: 4_000,
  title: 'Recall (characters)',
  description: 'How much is recalled for one message at most.',
  category: 'agents',
});

export const cliPaths = defineSetting({
  key: 'agents.cli_paths',
  schema: z.record(z.enum(['claude', 'codex', 'gemini', 'opencode', 'copilot']), z.string().startsWith('/')).or(z.object({})),
  default: {},
  title: 'Programs of agent CLIs',
  description: 'Absolute paths by backend, where they are not found by themselves: {"claude": "/opt/claude/claude-agent-acp"}.',
  category: 'agents',
});

export const runBare = defineSetting({
  key: 'agents.run_bare',
  schema: z.boolean(),
  default: false,
  title: 'Agent CLIs without a sandbox',
  description:
    'Where bubblewrap does not work: lets agent CLIs run with all that you can do on this machine. Their model calls still go by the gateway.',
  category: 'agents',
});

/** Settings of this module, for `createSettings`. */
export const agentSettings = [historyChars, windowChars, summaries, recall, recallChars, cliPaths, runBare];
