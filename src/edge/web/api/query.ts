import type { Endpoint } from '#core/endpoint';

/** Where an answer is kept: the path of its endpoint, then the input it was asked with. */
export function keyOf({ path }: Pick<Endpoint, 'path'>, input?: unknown): readonly unknown[] {
  return input === undefined ? [path] : [path, input];
}
