import type { Command } from '../command.ts';

/** What waits for the owner's word. */
export const approvals: Command = {
  name: 'approvals',
  usage: '',
  summary: 'The questions that wait for you',
  grant: 'approvals:read',
  argument: 'none',
  async run({ ports }) {
    const { items } = await ports.approvals.list({ status: 'pending', limit: 20 });
    if (items.length === 0) return 'Nothing waits for you.';
    return items
      .map(({ code, title, options }) => `- **${title}**: answer ${options.map(({ id }) => `\`${id} ${code}\``).join(' or ')}`)
      .join('\n');
  },
};
