import { join } from 'node:path';
import { isLoopback, type Config } from '#core/config';

/** A longer path is cut off by the system (sun_path). */
const LONGEST_BYTES = 100;

/**
 * The socket that the command line uses where the port asks for a certificate, or sends strangers away; undefined where the port
 * will do, or the home lies too deep for a socket.
 */
export function socketOf({ home, tls, host }: Config): string | undefined {
  const path = join(home, 'run', 'agent.sock');
  const isNeeded = tls !== undefined || !isLoopback(host);
  return isNeeded && process.platform !== 'win32' && Buffer.byteLength(path) <= LONGEST_BYTES ? path : undefined;
}
