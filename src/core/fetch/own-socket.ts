import type { Agent } from 'undici';

/**
 * A `fetch` that speaks to one program of this machine through its socket in the file system: who may open it is who may read the folder
 * it lies in. The host of an address is only a name there.
 */
export function fetchBySocket(socketPath: string): typeof globalThis.fetch {
  let agent: Agent | undefined;
  return async (address, init = {}) => {
    const undici = await import('undici');
    agent ??= new undici.Agent({ connect: { socketPath }, headersTimeout: 0, bodyTimeout: 0 });
    const dispatcher = agent;
    const { status, statusText, headers, body } = await undici.fetch(address as string, { ...(init as object), dispatcher });
    // a Response of the runtime, which callers may ask for by its class
    return new Response([204, 304].includes(status) ? null : (body as never), { status, statusText, headers: [...headers] });
  };
}
