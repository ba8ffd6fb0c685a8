import { chmod, rm } from 'node:fs/promises';
import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';

/** A second way to the same app, for programs of this account: a socket in the file system, where no certificate and no proxy stand between. */
export interface LocalSocket {
  closeAllConnections(): void;
  close(): Promise<void>;
}

/** Listens at `path`, which belongs to us alone: the home is locked. A token is needed there as anywhere. */
export async function listenLocally(app: FastifyInstance, path: string): Promise<LocalSocket> {
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer((req, res) => app.routing(req, res));
  await rm(path, { force: true }); // of a process that was killed
  server.listen(path);
  await once(server, 'listening');
  await chmod(path, 0o600);
  return {
    closeAllConnections: () => server.closeAllConnections(),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}
