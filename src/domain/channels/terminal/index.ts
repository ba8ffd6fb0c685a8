import { z } from 'zod';
import type { ChannelKind } from '../kind.ts';
import { openLocal, renderLocal } from '../local.ts';

/** The command line's chat: it talks to conversations over HTTP, and shows what arrives while it is open. */
export const terminal: ChannelKind = {
  id: 'terminal',
  title: 'Terminal',
  capabilities: { edit: false, buttons: false, typing: false, local: true, idempotent: true, push: false },
  settings: z.strictObject({}),
  secrets: [],
  render: renderLocal,
  open: openLocal,
};
