import type { Channels } from '#channels';
import type { IngressHandler } from '../edge/http/index.ts';

/** An update of a messenger is far smaller. */
const MAX_BYTES = 512 * 1024;

/** What platforms send to `/channels/{id}` of the public side. */
export function channelCalls(channels: Pick<Channels, 'answer'>): IngressHandler {
  return {
    prefix: 'channels',
    methods: ['GET', 'POST'],
    maxBodyBytes: MAX_BYTES,
    handle: ({ id, ...call }) => channels.answer(id, call),
  };
}
