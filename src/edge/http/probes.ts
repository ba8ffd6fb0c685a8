import { z } from 'zod';
import { endpoint, route, type Route } from '#core/endpoint';
import { AppError } from '#core/errors';
import type { Health } from '#core/service';

/** `GET /health`: open, and says more to those who may know. */
export const getHealth = endpoint({
  method: 'GET',
  path: '/health',
  grant: 'public',
  summary: 'Whether it runs and in which version; with a session or token also the health of every part.',
  input: z.strictObject({}),
  output: z.object({ status: z.enum(['ok', 'degraded']), version: z.string(), tree: z.unknown().optional() }),
});

/** `GET /ready`: 200 when work is taken, else 503. */
export const getReady = endpoint({
  method: 'GET',
  path: '/ready',
  grant: 'public',
  summary: 'Whether it takes work: 200, or 503 while it starts or stops.',
  input: z.strictObject({}),
  output: z.object({ ready: z.literal(true) }),
});

export interface ProbeDeps {
  readonly health: () => Health;
  readonly ready: () => boolean | Promise<boolean>;
  readonly version: string;
}

export function probeRoutes({ health, ready, version }: ProbeDeps): readonly Route[] {
  return [
    route(getHealth, async (_input, { caller }) => {
      const tree = health();
      return { status: tree.ok ? ('ok' as const) : ('degraded' as const), version, ...(caller.id !== 'anonymous' && { tree }) };
    }),
    route(getReady, async () => {
      if (!(await ready())) throw new AppError('unavailable', 'http.not_ready', 'Castellan is not ready yet');
      return { ready: true as const };
    }),
  ];
}
