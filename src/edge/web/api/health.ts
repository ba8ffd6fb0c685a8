import { z } from 'zod';
import { endpoint } from '#core/endpoint';

const Node = z.object({
  ok: z.boolean(),
  detail: z.string().optional(),
  strategy: z.string().optional(),
  state: z.string().optional(),
  startedAt: z.number().nullable().optional(),
  restarts: z.number().optional(),
  lastCause: z.object({ code: z.string(), message: z.string(), at: z.number() }).nullable().optional(),
  get children() {
    return z.record(z.string(), Node).optional();
  },
});

/** A node of the supervision tree as `/health` tells it; the root has no life of its own in it. Times are milliseconds since the epoch. */
export type TreeNode = z.infer<typeof Node>;

export const getHealth = endpoint({
  method: 'GET',
  path: '/health',
  grant: 'public',
  summary: 'Whether the agent runs, in which version, and its supervision tree.',
  input: z.strictObject({}),
  output: z.object({ status: z.enum(['ok', 'degraded']), version: z.string(), tree: Node.optional() }),
});

/** Every node that is not well, by its path. */
export function ailing(tree: TreeNode, path = ''): readonly { readonly path: string; readonly node: TreeNode }[] {
  const below = Object.entries(tree.children ?? {}).flatMap(([name, node]) => ailing(node, path ? `${path}/${name}` : name));
  return !tree.ok && below.length === 0 && path !== '' ? [{ path, node: tree }] : below;
}

/** How many parts the tree has, supervisors not counted. */
export function countParts(tree: TreeNode): number {
  const children = Object.values(tree.children ?? {});
  return children.length === 0 ? 1 : children.reduce((sum, node) => sum + countParts(node), 0);
}
