import type { Health } from '#core/service';

/** What is not well in the tree, one line each, innermost first. */
export function troublesOf(health: Health | undefined, path = ''): string[] {
  if (!health || health.ok) return [];
  const below = Object.entries(health.children ?? {}).flatMap(([name, child]) => troublesOf(child, path ? `${path}/${name}` : name));
  return below.length > 0 ? below : [`${path}: ${health.detail ?? 'not running'}`];
}
