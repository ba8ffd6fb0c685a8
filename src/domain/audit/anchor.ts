import { createHmac, timingSafeEqual } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { z } from 'zod';

/** The end of the chain, noted outside of the database: whoever cuts entries off there does not reach this. */
export const Anchor = z.object({ seq: z.number(), hash: z.string(), at: z.number(), mac: z.string() });
export type Anchor = z.infer<typeof Anchor>;

/** Where the anchor is kept. `damaged` is there and cannot be read. */
export interface AnchorKeeper {
  read(): Promise<Anchor | 'damaged' | null>;
  write(anchor: Anchor): Promise<void>;
}

/** A file of the home: written whole, put through to the disk, then moved into place. */
export function anchorFile(path: string): AnchorKeeper {
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      if (text === null) return null;
      try {
        return Anchor.parse(JSON.parse(text));
      } catch {
        return 'damaged';
      }
    },
    async write(anchor) {
      const draft = `${path}.new`;
      const file = await open(draft, 'w', 0o600);
      try {
        await file.writeFile(`${JSON.stringify(anchor)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    },
  };
}

/** Keys of the vault for seals, the newest first; throws when the vault does not open, and then nothing is sealed. */
export type SealKeys = () => Promise<readonly Uint8Array[]>;

/** HMAC-SHA256 of what is sealed; empty without a key. */
export function macOf(keys: readonly Uint8Array[], ...parts: readonly (string | number)[]): string {
  const key = keys[0];
  return key ? createHmac('sha256', key).update(JSON.stringify(parts)).digest('hex') : '';
}

/** `unchecked` when there is no key. */
export function checkMac(keys: readonly Uint8Array[], mac: string, ...parts: readonly (string | number)[]): 'good' | 'bad' | 'unchecked' {
  if (keys.length === 0) return 'unchecked';
  const given = Buffer.from(mac, 'hex');
  const isGood = keys.some((key) => {
    const expected = Buffer.from(macOf([key], ...parts), 'hex');
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  return isGood ? 'good' : 'bad';
}
