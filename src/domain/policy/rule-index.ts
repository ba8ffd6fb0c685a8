import type { CompiledRule } from './rules.ts';

/** Rules laid out so that few have to be looked at: by principal or its kind, and by resource where it has no wildcard. */
export interface RuleIndex {
  readonly all: readonly CompiledRule[];
  about(principal: string, resource: string): readonly (readonly CompiledRule[])[];
}

interface Shelf {
  readonly byResource: ReadonlyMap<string, readonly CompiledRule[]>;
  readonly wide: readonly CompiledRule[];
}

const NONE: readonly CompiledRule[] = Object.freeze([]);

export function indexed(all: readonly CompiledRule[]): RuleIndex {
  const shelves = new Map(
    Array.from(
      Map.groupBy(all, ({ principal }) => (principal.includes('*') ? `${kindOf(principal)}:*` : principal)),
      ([key, rules]): [string, Shelf] => [
        key,
        {
          byResource: Map.groupBy(
            rules.filter(({ resource }) => !resource.includes('*')),
            ({ resource }) => resource,
          ),
          wide: rules.filter(({ resource }) => resource.includes('*')),
        },
      ],
    ),
  );
  return {
    all,
    about: (principal, resource) =>
      [principal, `${kindOf(principal)}:*`, '*:*'].flatMap((key) => {
        const shelf = shelves.get(key);
        return shelf ? [shelf.byResource.get(resource) ?? NONE, shelf.wide] : [];
      }),
  };
}

/** `workflow` of `workflow:<id>`; `*` of `*`. */
const kindOf = (principal: string): string => principal.split(':', 1)[0]!;
