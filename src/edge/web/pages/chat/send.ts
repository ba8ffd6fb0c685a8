import type { Client } from '#core/client';
import { takeTurn } from '#agents/contract';

/**
 * Says something. Resolves once the agent has taken it: the message is stored, its answer is being made, and goes on whether or
 * not anybody reads it; `useTurn` follows it.
 */
export async function send(client: Client, conversationId: string, text: string): Promise<void> {
  const leave = new AbortController();
  for await (const { event, data } of client.stream(
    takeTurn,
    { id: conversationId, text },
    { signal: leave.signal, idempotencyKey: newKey() },
  )) {
    if (event === 'error') throw new Error('The turn broke before it began');
    if (data.type === 'start' || data.type === 'end') break;
  }
  leave.abort();
}

/** A repeat of the request (by a proxy, by the browser) is the same message. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
