import { systemClock } from '#core/clock';
import { readConfig } from '#core/config';
import { uuidv7 } from '#core/ids';
import { auditMigrations, createAudit } from '#audit';
import { createLoginLinks, createTokens, ownerMigrations, resetFactors } from '#owner';
import type { createLoginLink, createToken, NewToken } from '#owner/contract';
import type { z } from 'zod';
import { AppError } from '#core/errors';
import { readAgentFacts, type Cli } from './context.ts';
import { withStore } from './offline.ts';

const MIGRATIONS = [...auditMigrations, ...ownerMigrations];

/** Makes an API token with no agent running: whoever may write the home is the owner. */
export function makeToken(io: Cli, wanted: NewToken): Promise<z.output<(typeof createToken)['output']>> {
  return withStore(
    io,
    MIGRATIONS,
    async (store) => {
      const audit = createAudit({ store, clock: systemClock, redact: (text) => text });
      const tokens = createTokens({ store, clock: systemClock, newId: uuidv7(), audit });
      const { token, info } = await tokens.create(wanted, { id: 'cli', grants: new Set(['*']) });
      return { ...info, token: token.use((text) => text) };
    },
    { create: true },
  );
}

/** Makes a login link for the agent that is started next, at the address it is configured to have. */
export async function makeLoginLink(io: Cli): Promise<z.output<(typeof createLoginLink)['output']>> {
  const { host, port, tls } = await readConfig(io.env, { home: io.home });
  const base = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const { url, expiresAt } = await withStore(io, MIGRATIONS, (store) => createLoginLinks({ store, clock: systemClock }).create(base), {
    create: true,
  });
  return { url: url.use((text) => text), expiresAt: new Date(expiresAt).toISOString() };
}

/** For an owner who lost every second factor. Throws `cli.agent_runs`: a running agent is asked for, and would want the factor. */
export async function removeFactors(io: Cli): Promise<void> {
  if (await readAgentFacts(io.home))
    throw new AppError('conflict', 'cli.agent_runs', 'Stop the agent first: while it runs, a factor is removed with a factor', {
      home: io.home,
    });
  await withStore(io, MIGRATIONS, (store) => {
    const audit = createAudit({ store, clock: systemClock, redact: (text) => text });
    return resetFactors({ store, audit }, 'cli');
  });
}
