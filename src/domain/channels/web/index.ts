import { z } from 'zod';
import type { ChannelKind } from '../kind.ts';
import { openLocal, renderLocal } from '../local.ts';

/** The browser: it talks to conversations over HTTP; as a channel it is where messages to the owner are kept and shown. */
export const web: ChannelKind = {
  id: 'web',
  title: 'Browser',
  capabilities: { edit: false, buttons: false, typing: false, local: true, idempotent: true, push: false },
  settings: z.strictObject({}),
  secrets: [],
  render: renderLocal,
  open: openLocal,
};
