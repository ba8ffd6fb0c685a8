import { z } from 'zod';
import { InjectionScore } from '#content/contract';
import { Done, endpoint, listOf } from '#core/endpoint';
import { SecretHosts, SecretName, SecretScope } from './scope.ts';

export * from './oauth-contract.ts';
export { SecretName };

/** How everything but the vault speaks of a secret. */
export const referenceTo = (name: string): string => `@secret:${name}`;

/** The name in a text that is one whole reference; null for any other text. */
export function referencedName(text: string): string | null {
  if (!text.startsWith('@secret:')) return null;
  const name = SecretName.safeParse(text.slice('@secret:'.length));
  return name.success ? name.data : null;
}

/** Where a secret is referred to, in words: `provider Claude`, `workflow morning-briefing, step send`. */
export const SecretUse = z.object({ secret: z.string(), where: z.string() });
export type SecretUse = z.infer<typeof SecretUse>;

/** A secret as the owner sees it: all but its value. Times are ISO 8601, UTC. */
export const SecretInfo = z.object({
  name: z.string(),
  /** Who may use it: `any`, or principals such as `provider:openai, skill:web_fetch`. */
  scope: z.string(),
  /** Where its value may be sent; a skill sends it nowhere else, and nowhere at all while this is empty. */
  hosts: z.string(),
  description: z.string(),
  version: z.number(),
  createdAt: z.string(),
  rotatedAt: z.string().nullable(),
  /** To the minute. */
  lastUsedAt: z.string().nullable(),
  /** How often it was lent. */
  uses: z.number(),
  /** When it ends, as the owner noted; the owner is told two weeks before. */
  expiresAt: z.string().nullable(),
  /** The version before is accepted until then. */
  previousUntil: z.string().nullable(),
});
export type SecretInfo = z.infer<typeof SecretInfo>;

const SecretValue = z
  .string()
  .min(1, 'a secret is not empty')
  .max(64 * 1024, 'a secret has at most 64 KiB');
const Described = {
  scope: SecretScope.optional(),
  hosts: SecretHosts.optional(),
  description: z.string().max(500).optional(),
  /** ISO 8601; null for never. */
  expiresAt: z.iso.datetime({ offset: true }).nullable().optional(),
};

export const listSecrets = endpoint({
  method: 'GET',
  path: '/api/secrets',
  grant: 'secrets:read',
  summary: 'The secrets by name; never a value.',
  input: z.strictObject({}),
  output: listOf(SecretInfo.extend({ usedBy: z.array(z.string()) })),
});
export const putSecret = endpoint({
  method: 'PUT',
  path: '/api/secrets/{name}',
  grant: 'secrets:write',
  summary: 'Seals a secret under a name, in place of the one before.',
  input: z.strictObject({ name: SecretName, value: SecretValue, ...Described }),
  output: SecretInfo,
});
export const removeSecret = endpoint({
  method: 'DELETE',
  path: '/api/secrets/{name}',
  grant: 'secrets:write',
  summary: 'Forgets a secret; one that is still referred to only with `force`.',
  input: z.strictObject({ name: SecretName, force: z.enum(['true', 'false']).optional() }),
  output: Done,
});
export const rotateSecret = endpoint({
  method: 'POST',
  path: '/api/secrets/{name}/rotate',
  grant: 'secrets:write',
  summary: 'Seals a new version; the old one stays acceptable for incoming signatures during a grace period.',
  input: z.strictObject({
    name: SecretName,
    value: SecretValue,
    graceSeconds: z
      .number()
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(86_400),
  }),
  output: SecretInfo,
});

export const describeSecret = endpoint({
  method: 'POST',
  path: '/api/secrets/{name}/describe',
  grant: 'secrets:write',
  summary: 'Changes who may use a secret, where it may be sent, when it ends, or its description; its value stays.',
  input: z.strictObject({ name: SecretName, ...Described }),
  output: SecretInfo,
  secondFactor: 'when_enrolled',
});

export const MasterKeyInfo = z.object({
  /** Tells master keys apart, and nothing of them. */
  keyId: z.string(),
  kind: z.enum(['file', 'given', 'passphrase']),
  /** How many rows were sealed anew. */
  resealed: z.number(),
});
export type MasterKeyInfo = z.infer<typeof MasterKeyInfo>;

export const rotateMasterKey = endpoint({
  method: 'POST',
  path: '/api/vault/key',
  grant: 'secrets:rekey',
  summary: 'Seals everything with another master key: a random one in the home, one given, or one from a passphrase.',
  input: z.strictObject({
    to: z.enum(['file', 'given', 'passphrase']).default('file'),
    /** The key, or the passphrase. */
    key: SecretValue.optional(),
    /** What becomes of the key file before. */
    old: z.enum(['keep', 'destroy']).default('destroy'),
  }),
  output: MasterKeyInfo,
  secondFactor: 'when_enrolled',
});

/** What a text holds that should not be there. */
export const ScanResult = z.object({
  secrets: z.array(
    z.object({
      /** Kebab-case, as `github-pat`; `vault` for one of the vault's own. */
      provider: z.string(),
      /** UTF-16 code units from the beginning of the text, as JavaScript counts; `end` is behind the last one. */
      start: z.number(),
      end: z.number(),
      /** The vault's name for it, when it is one of its own. */
      name: z.string().optional(),
    }),
  ),
  injection: InjectionScore,
});
export type ScanResult = z.infer<typeof ScanResult>;

export const scanText = endpoint({
  method: 'POST',
  path: '/api/scan',
  grant: 'secrets:read',
  summary: 'Secrets, and hidden or injected instructions, in a text; nothing of it is kept.',
  input: z.strictObject({ text: z.string().max(1_000_000) }),
  output: ScanResult,
  maxBodyBytes: 4 * 2 ** 20,
});

declare module '#core/bus' {
  interface Events {
    'vault.changed': { readonly name: string; readonly change: 'set' | 'rotated' | 'described' | 'removed' };
  }
}
