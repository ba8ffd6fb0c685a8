import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyPair } from './x509.ts';

/** The keys and certificates in the home: `ca` and `server`, each a `.crt` and a `.key`, readable by the owner alone. */
export interface KeyFiles {
  read(name: 'ca' | 'server'): Promise<KeyPair | null>;
  /** The key first: whoever reads a pair that does not match yet looks again. */
  write(name: 'ca' | 'server', pair: KeyPair): Promise<void>;
  path(name: 'ca.crt' | 'server.crt' | 'server.key'): string;
}

export function createKeyFiles(folder: string): KeyFiles {
  async function put(name: string, text: string): Promise<void> {
    const path = join(folder, name);
    const handle = await open(`${path}.new`, 'w', 0o600);
    try {
      await handle.chmod(0o600); // a draft that was left behind may be of another mind
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.new`, path);
  }

  async function get(name: string): Promise<string | null> {
    return readFile(join(folder, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
  }

  return {
    async read(name) {
      const [pem, key] = await Promise.all([get(`${name}.crt`), get(`${name}.key`)]);
      return pem !== null && key !== null ? { pem, key } : null;
    },
    async write(name, { pem, key }) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await chmod(folder, 0o700);
      await put(`${name}.key`, key);
      await put(`${name}.crt`, pem);
    },
    path: (name) => join(folder, name),
  };
}
