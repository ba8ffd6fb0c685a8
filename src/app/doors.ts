import type { Route } from '#core/endpoint';
import type { DoorRoute } from '#owner';

const THIRTY_DAYS_S = 30 * 86_400;

/** The owner's doors as routes: what they say of the session becomes the browser's cookie. */
export function doorAsRoute({ endpoint, handle }: DoorRoute): Route {
  return {
    endpoint,
    async handle(input, { connection }) {
      const { address = '', userAgent = '', sessionToken } = connection ?? {};
      const { body, setSession } = await handle(input, { address, userAgent, sessionToken });
      if (setSession === null) connection?.clearSession();
      else setSession?.use((token) => connection?.setSession(token, THIRTY_DAYS_S));
      return body;
    },
  };
}
