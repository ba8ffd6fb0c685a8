import { join } from 'node:path';
import { openSeeds } from '#core/config';
import { anchorFile, auditKeepDays, auditSettings, createAudit, shelfIn } from '#audit';
import { agentSettings } from '#agents';
import { llmSettings } from '#llm';
import { createOwner, ensureControlToken, ownerLimits, ownerSettings } from '#owner';
import { createApprovals, createPolicy, settleAnswers, starterRules } from '#policy';
import { createSettings, generalSettings } from '#settings';
import { skillSettings } from '#skills';
import { createVault, createWriteGuard, masterKeySource, type LiveRedactor } from '#vault';
import type { Ground, Parts } from './parts.ts';
import { passphraseFrom } from './passphrase.ts';
import { secretUses } from './references.ts';

/** The owner's house: who they are, what they keep, what they allow, and the record of it. */
export interface House extends ReturnType<typeof createWriteGuard> {
  /** The one choke point for secrets: whatever is stored, logged, sent, told or said to a model passes it. */
  readonly redact: LiveRedactor;
  readonly audit: ReturnType<typeof createAudit>;
  readonly vault: ReturnType<typeof createVault>;
  readonly settings: ReturnType<typeof createSettings>;
  readonly owner: ReturnType<typeof createOwner>;
  readonly policy: ReturnType<typeof createPolicy>;
  readonly approvals: ReturnType<typeof createApprovals>;
}

const SETTINGS = [...generalSettings, ...auditSettings, ...ownerSettings, ...llmSettings, ...skillSettings, ...agentSettings];

export async function createHouse(
  { config, store, clock, newId, bus, outbox, queue, web, tell, onError }: Ground,
  redact: LiveRedactor,
  parts: Parts,
): Promise<House> {
  const { home, seeds } = config;
  const { objection, refuse } = createWriteGuard(redact);
  const audit = createAudit({
    store,
    clock,
    redact,
    anchor: anchorFile(join(home, 'audit.anchor')),
    keys: () => vault.keysFor('audit'),
    keepDays: () => settings.get(auditKeepDays),
    shelf: shelfIn(join(home, 'audit')),
    tell,
  });
  const vault = createVault({
    store,
    clock,
    bus,
    audit,
    redactor: redact,
    masterKey: masterKeySource({
      home,
      given: config.masterKey,
      file: config.masterKeyFile,
      askPassphrase: passphraseFrom({ fd: config.passphraseFd, credentials: config.credentials }),
    }),
    fetch: web.fetch,
    references: () => secretUses({ ...parts, connections: vault.connections }),
    tell,
  });
  const settings = createSettings({
    store,
    bus,
    audit,
    clock,
    newId,
    tell,
    secrets: vault,
    env: openSeeds(seeds),
    definitions: SETTINGS,
    refuse,
  });
  const owner = createOwner({
    store,
    clock,
    newId,
    audit,
    tell,
    secrets: vault,
    controlToken: await ensureControlToken(home),
    isUsedElsewhere: (text) => vault.redactor.find(text).length > 0 || (config.masterKey?.use((key) => key.includes(text)) ?? false),
    ...ownerLimits(settings),
  });
  const policy = createPolicy({
    store,
    clock,
    newId,
    audit,
    node: config.node,
    tokenKey: () => vault.keyFor('policy.token'),
    starters: () => starterRules(parts.catalogue.list().filter(({ kind }) => kind === 'built-in')),
    onError: (error) => onError('Decisions could not be recorded', error),
  });
  const approvals = createApprovals({ store, outbox, queue, clock, newId, audit, settle: settleAnswers(policy, clock.now) });

  return { redact, objection, refuse, audit, vault, settings, owner, policy, approvals };
}
