import type { Route } from '#core/endpoint';
import type { DoorRoute } from '#owner';

/** The owner's doors as routes: what they say of the session becomes the browser's cookie. */
export function doorAsRoute({ endpoint, handle }: DoorRoute): Route {
  return {
    endpoint,
    async handle(input, { connection }) {
      const { address = '', userAgent = '', origin: at = 'http://localhost', sessionToken, certificate } = connection ?? {};
      const { body, setSession } = await handle(input, { address, userAgent, at, sessionToken, certificate });
      if (setSession === null) connection?.clearSession();
      else setSession?.token.use((token) => connection?.setSession(token, setSession.maxAgeS));
      return body;
    },
  };
}
