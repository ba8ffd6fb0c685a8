import type { Connection, RenderedPart } from './kind.ts';

/** The one chat of a channel that has no platform behind it. */
export const LOCAL_CHAT = 'owner';

/** A connection to the owner's own surfaces: what is sent is stored by the delivery and told on the bus; nothing leaves the program. */
export async function openLocal(): Promise<Connection> {
  return { account: null, send: async ({ key }) => ({ messageId: key }) };
}

/** They show Markdown of any length. */
export function renderLocal(markdown: string): RenderedPart[] {
  return markdown.trim() === '' ? [] : [{ text: markdown, plain: markdown }];
}
