import type { Command } from '../command.ts';

/** The workflows by name. */
export const workflows: Command = {
  name: 'workflows',
  usage: '',
  summary: 'The workflows',
  grant: 'workflows:read',
  argument: 'none',
  async run({ ports }) {
    const { items, next } = await ports.workflows.list({ limit: 100 });
    if (items.length === 0) return 'There are no workflows yet.';
    const lines = items.map(
      ({ name, title, enabled, triggers }) =>
        `- \`${name}\` ${title === name ? '' : title}${enabled ? '' : ' (off)'}${triggers.length > 0 ? `, by ${[...new Set(triggers.map(({ kind }) => kind))].join(', ')}` : ''}`,
    );
    return [...lines, ...(next === null ? [] : ['… and more in the browser'])].join('\n');
  },
};
