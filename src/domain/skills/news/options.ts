import { z } from 'zod';

const Address = z.string().regex(/^(https?:\/\/|file:)\S+$/i, 'a feed is an http(s) address, or file: and a path');

/** What every step that reads feeds may be told about the reading. */
export const gatherOptions = {
  feeds: z
    .array(Address)
    .max(1_000)
    .default([])
    .describe('Feeds to read besides the workflow’s resources: http(s) addresses, or file: paths'),
  opml: z.string().min(1).optional().describe('An OPML list of feeds to read too: its address, a file: path, or the text itself'),
  recentHours: z
    .number()
    .min(0)
    .max(87_600)
    .default(48)
    .describe('Only items published within so many hours; 0 is no limit. Items without a date always count'),
  minimum: z.int().min(1).max(1_000).default(1).describe('Fewer new items than this count as none and wait for a later run'),
  force: z.boolean().default(false).describe('Take items that were handed on before, too'),
  concurrency: z.int().min(1).max(32).default(5).describe('Feeds read at the same time'),
  timeoutMs: z.int().min(100).max(120_000).default(15_000).describe('The longest one feed may take, in milliseconds'),
  maxBytesPerFeed: z
    .int()
    .min(1_024)
    .max(50 * 1024 * 1024)
    .default(5 * 1024 * 1024)
    .describe('The largest a feed may be, in bytes after decompression'),
};

const GatherOptions = z.strictObject(gatherOptions);
export type GatherOptions = z.infer<typeof GatherOptions> & { readonly maxItems: number };
