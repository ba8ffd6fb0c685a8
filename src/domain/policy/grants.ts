import type { Route } from '#core/endpoint';
import { AppError } from '#core/errors';

/** Whether the grants held cover the one needed, itself a capability or a pattern. What is not granted is denied. */
export function allows(grants: ReadonlySet<string>, needed: string): boolean {
  if (grants.has('*') || grants.has(needed)) return true;
  const area = needed.indexOf(':');
  return area > 0 && grants.has(`${needed.slice(0, area)}:*`);
}

/** Throws `policy.not_allowed`, which names the capability that is missing. */
export function assertAllowed(caller: { readonly id: string; readonly grants: ReadonlySet<string> }, needed: string): void {
  if (!allows(caller.grants, needed))
    throw new AppError('forbidden', 'policy.not_allowed', `This needs the grant "${needed}", which ${caller.id} does not have`, { needed });
}

/** A capability the program knows, and what it opens. */
export interface KnownGrant {
  readonly grant: string;
  /** One sentence for each endpoint it opens. */
  readonly opens: readonly string[];
}

/** Every capability that a route asks for, in order of name; `public` asks for none. */
export function grantCatalogue(routes: readonly Route[]): readonly KnownGrant[] {
  const known = Map.groupBy(
    routes.map(({ endpoint }) => endpoint).filter(({ grant }) => grant !== 'public'),
    ({ grant }) => grant,
  );
  return Array.from(known, ([grant, endpoints]) => ({ grant, opens: endpoints.map(({ summary }) => summary) })).toSorted((a, b) =>
    a.grant < b.grant ? -1 : 1,
  );
}
