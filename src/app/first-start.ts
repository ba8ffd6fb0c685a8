import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Seeds } from '#core/config';
import type { Store } from '#core/db/store';
import type { Channels } from '#channels';
import type { Llm } from '#llm';
import type { Vault } from '#vault';
import type { Engine, Workflows } from '#workflows';
import { programFolder } from './own-files.ts';

export interface FirstStartDeps {
  readonly store: Store;
  readonly vault: Vault;
  readonly llm: Llm;
  readonly workflows: Workflows;
  readonly engine: Engine;
  readonly channels: Channels;
  readonly seeds: Seeds;
}

/** The beginning of a home. */
export interface FirstStart {
  /** Nothing was ever seeded here. */
  isDue(): Promise<boolean>;
  /** Adds what is missing; the briefing's run goes on by itself. */
  seed(): Promise<void>;
}

/** Keys of the environment that go to the vault, by the name they get there, and who may use them. */
const KEYS = {
  'anthropic-api-key': ['ANTHROPIC_API_KEY', 'provider:*'],
  'google-api-key': ['GEMINI_API_KEY', 'provider:*'],
  'openai-api-key': ['OPENAI_API_KEY', 'provider:*'],
  'github-token': ['GITHUB_TOKEN', 'any'],
  'telegram-bot-token': ['TELEGRAM_BOT_TOKEN', 'channel:*'],
} as const;

/**
 * What a fresh home needs: keys of the environment sealed, providers, and the morning briefing, which is offered (switched
 * off) and run once. Each part looks whether it is there, so that a start that was cut off goes on with the next one.
 */
export function createFirstStart({ store, vault, llm, workflows, engine, channels, seeds }: FirstStartDeps): FirstStart {
  async function sealKeys(): Promise<Record<string, string>> {
    const references: Record<string, string> = {};
    for (const [name, [variable, scope]] of Object.entries(KEYS)) {
      const value = seeds.secrets[variable];
      if (value === undefined && !(await vault.has(name))) continue;
      if (value !== undefined && !(await vault.has(name)))
        await vault.set(name, value, 'system', { scope, description: `From ${variable} at the first start` });
      references[name] = `@secret:${name}`;
    }
    return references;
  }

  async function openTelegram(token: string | undefined): Promise<void> {
    if (token === undefined) return;
    const apiRoot = seeds.addresses.TELEGRAM_API_ROOT;
    const fresh = await channels.directory.seedFrom({ kind: 'telegram', secret: token, config: apiRoot === undefined ? {} : { apiRoot } });
    if (fresh) await channels.reconnect(fresh.id);
  }

  const isDue = (): Promise<boolean> => workflows.isUntouched();

  async function offerBriefing(): Promise<void> {
    if (!(await isDue())) return;
    const document = JSON.parse(await readFile(join(programFolder, 'examples', 'workflows', 'morning-briefing.json'), 'utf8')) as unknown;
    const workflow = await workflows.create(document, { enabled: false, by: 'system' });
    await store.write((tx) => engine.start(tx, workflow, { trigger: { kind: 'first_start' }, idempotencyKey: 'first-start' }));
  }

  async function seed(): Promise<void> {
    const keys = await sealKeys();
    await llm.seed({
      anthropicKey: keys['anthropic-api-key'],
      googleKey: keys['google-api-key'],
      openaiKey: keys['openai-api-key'],
      anthropicBaseUrl: seeds.addresses.ANTHROPIC_BASE_URL,
      googleBaseUrl: seeds.addresses.GOOGLE_GEMINI_BASE_URL,
      openaiBaseUrl: seeds.addresses.OPENAI_BASE_URL,
      ollamaHost: seeds.addresses.OLLAMA_HOST,
      lmstudioHost: seeds.addresses.LMSTUDIO_HOST,
    });
    await openTelegram(keys['telegram-bot-token']);
    await offerBriefing();
  }

  return { isDue, seed };
}
