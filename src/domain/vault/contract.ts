import { z } from 'zod';
import { Done, endpoint, listOf } from '#core/endpoint';

/** Letters, digits, `.`, `_`, `-`; begins and ends with a letter or digit, so that a reference can stand in a sentence. */
export const SecretName = z
  .string()
  .max(128, 'a secret name has at most 128 characters')
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
    'a secret name has letters, digits, ".", "_" and "-" only, and begins and ends with a letter or digit',
  );

/** How everything but the vault speaks of a secret. */
export const referenceTo = (name: string): string => `@secret:${name}`;

/** The name in a text that is one whole reference; null for any other text. */
export function referencedName(text: string): string | null {
  if (!text.startsWith('@secret:')) return null;
  const name = SecretName.safeParse(text.slice('@secret:'.length));
  return name.success ? name.data : null;
}

/** A secret as the owner sees it: all but its value. Times are ISO 8601, UTC. */
export const SecretInfo = z.object({
  name: z.string(),
  /** Who may use it: `any`, or a principal such as `provider:openai`, `skill:github`. */
  scope: z.string(),
  description: z.string(),
  version: z.number(),
  createdAt: z.string(),
  rotatedAt: z.string().nullable(),
  /** To the minute. */
  lastUsedAt: z.string().nullable(),
  /** The version before is accepted until then. */
  previousUntil: z.string().nullable(),
});
export type SecretInfo = z.infer<typeof SecretInfo>;

const SecretValue = z
  .string()
  .min(1, 'a secret is not empty')
  .max(64 * 1024, 'a secret has at most 64 KiB');
const Scope = z.string().min(1).max(200);

export const listSecrets = endpoint({
  method: 'GET',
  path: '/api/secrets',
  grant: 'secrets:read',
  summary: 'The secrets by name; never a value.',
  input: z.strictObject({}),
  output: listOf(SecretInfo),
});
export const putSecret = endpoint({
  method: 'PUT',
  path: '/api/secrets/{name}',
  grant: 'secrets:write',
  summary: 'Seals a secret under a name, in place of the one before.',
  input: z.strictObject({ name: SecretName, value: SecretValue, scope: Scope.optional(), description: z.string().max(500).optional() }),
  output: SecretInfo,
});
export const removeSecret = endpoint({
  method: 'DELETE',
  path: '/api/secrets/{name}',
  grant: 'secrets:write',
  summary: 'Forgets a secret.',
  input: z.strictObject({ name: SecretName }),
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

declare module '#core/bus' {
  interface Events {
    'vault.changed': { readonly name: string; readonly change: 'set' | 'rotated' | 'removed' };
  }
}
