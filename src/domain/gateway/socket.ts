import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { AppError } from '#core/errors';
import { sendJson } from '#core/raw-body';
import type { RawRoute } from '#core/raw-route';
import type { Service } from '#core/service';
import type { GatewaySessions } from './sessions.ts';

/** Of `sockaddr_un` (unix(7)), less the byte that ends it; 103 on macOS. */
const LONGEST_PATH = 103;

/** The gateway on a socket of the file system, for agents in sandboxes: nothing else answers there, and no key but a session's. */
export function gatewaySocket(
  path: string,
  routes: readonly RawRoute[],
  sessions: GatewaySessions,
  onError: (what: string, error: unknown) => void,
): Service {
  const table = routes.map((route) => ({ route, pattern: new RegExp(`^${route.path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`) }));
  return {
    name: 'gateway',
    async start(run) {
      if (Buffer.byteLength(path) > LONGEST_PATH)
        return {
          stop: async () => {},
          health: () => ({ ok: false, detail: `agents cannot run in a sandbox: ${path} is too long for a socket; use a shorter home` }),
        };
      const closing = new AbortController();
      const { createServer } = process.getBuiltinModule('node:http');
      const server = createServer({ requestTimeout: 0 }, (req, res) => {
        const gone = new AbortController();
        res.once('close', () => !res.writableFinished && gone.abort());
        const { pathname } = new URL(req.url ?? '/', 'http://gateway');
        const found = table.flatMap(({ route, pattern }) => {
          const match = route.method === req.method ? pattern.exec(pathname) : null;
          return match ? [{ route, params: match.groups ?? {} }] : [];
        })[0];
        if (!found) return sendJson(res, 404, { error: { message: 'Not here', code: 'gateway.not_found' } });
        const named = found.route.keyHeaders?.map((name) => req.headers[name]).find((value) => typeof value === 'string');
        const key = (named as string | undefined) ?? /^Bearer +(\S{1,500})$/i.exec(req.headers.authorization ?? '')?.[1];
        const caller = key === undefined ? null : sessions.callerOf(key);
        if (!caller) return sendJson(res, 401, { error: { message: 'The key is not that of a session', code: 'gateway.bad_key' } });
        const params = Object.fromEntries(Object.entries(found.params).map(([name, value]) => [name, decodeURIComponent(value!)]));
        found.route
          .handle(req, res, { caller, params, id: 'gateway', signal: AbortSignal.any([gone.signal, closing.signal]) })
          .catch((error: unknown) => {
            if (!(error instanceof AppError)) onError('A call of the gateway failed', error);
            res.destroy();
          });
      });
      await rm(path, { force: true }); // left by a process that was killed
      server.listen(path);
      await once(server, 'listening');
      await chmod(path, 0o600);
      server.on('error', (error) => run.exit(error));
      return {
        async stop() {
          closing.abort();
          server.closeAllConnections();
          await new Promise((resolve) => server.close(resolve));
          await rm(path, { force: true });
        },
      };
    },
  };
}
