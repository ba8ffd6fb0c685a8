import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { z } from 'zod';
import type { NewProvider } from './api.ts';

/** What the environment of the first start knows. Keys are references into the vault, hosts addresses with or without a scheme. */
export interface LlmSeeds {
  readonly anthropicKey?: string | undefined;
  readonly anthropicBaseUrl?: string | undefined;
  readonly googleKey?: string | undefined;
  readonly googleBaseUrl?: string | undefined;
  readonly openaiKey?: string | undefined;
  readonly openaiBaseUrl?: string | undefined;
  readonly ollamaHost?: string | undefined;
  readonly lmstudioHost?: string | undefined;
}

/** The chains of a fresh install, with the newest models of November 2026. Cloud rows are enabled by their key, local ones when they first answer. */
export function seededProviders(seeds: LlmSeeds): NewProvider[] {
  const cloud = (kind: 'anthropic' | 'google' | 'openai', key: string | undefined, baseUrl: string | undefined) => ({
    kind,
    secret: key ?? null,
    baseUrl: baseUrl ?? null,
    enabled: key !== undefined,
  });
  const google = cloud('google', seeds.googleKey, seeds.googleBaseUrl);
  const anthropic = cloud('anthropic', seeds.anthropicKey, seeds.anthropicBaseUrl);
  const openai = cloud('openai', seeds.openaiKey, seeds.openaiBaseUrl);
  // A local model may read a long prompt for minutes before its first word.
  const local = {
    kind: 'compatible' as const,
    tiers: ['light', 'medium', 'heavy', 'local'] as NewProvider['tiers'],
    enabled: false,
    timeoutMs: 600_000,
  };
  const rows: NewProvider[] = [
    { ...google, name: 'Gemini Flash', model: 'gemini-3.8-flash', embeddingModel: 'gemini-embedding-001', tiers: ['light'], priority: 10 },
    { ...google, name: 'Gemini Pro', model: 'gemini-3.1-pro-preview', tiers: ['medium'], priority: 10 },
    { ...anthropic, name: 'Claude Haiku', model: 'claude-haiku-4-5', tiers: ['light'], priority: 20 },
    { ...anthropic, name: 'Claude Sonnet', model: 'claude-sonnet-5', tiers: ['medium'], priority: 20 },
    { ...anthropic, name: 'Claude Opus', model: 'claude-opus-5-5', tiers: ['heavy'], priority: 10 },
    { ...local, name: 'LM Studio', baseUrl: toBaseUrl(seeds.lmstudioHost, 1234), priority: 40 },
    { ...local, name: 'Ollama', baseUrl: toBaseUrl(seeds.ollamaHost, 11434), priority: 50 },
    { ...local, name: 'Custom', baseUrl: null, priority: 60 },
  ];
  if (openai.enabled) {
    rows.push(
      { ...openai, name: 'GPT Luna', model: 'gpt-6-luna', embeddingModel: 'text-embedding-3-small', tiers: ['light'], priority: 30 },
      { ...openai, name: 'GPT Sol', model: 'gpt-6-sol', tiers: ['medium'], priority: 30 },
      { ...openai, name: 'GPT Astra', model: 'gpt-6-astra', tiers: ['heavy'], priority: 20 },
    );
  }
  return rows;
}

/** `OLLAMA_HOST` is often `0.0.0.0:11434` or a bare host: an address to listen on rather than to call. */
export function toBaseUrl(host: string | undefined, port: number): string {
  const given = host?.trim() || '127.0.0.1';
  const url = new URL(/^https?:\/\//.test(given) ? given : `http://${given}`);
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
  if (!url.port && !/^https?:\/\//.test(given)) url.port = String(port);
  return url.href.replace(/\/$/, '');
}

const Models = z.object({ data: z.array(z.object({ id: z.string() })).nullable() });
const LARGEST_LIST_BYTES = 1_000_000;

/** The model names a local server lists (OpenAI's `GET /v1/models`, which LM Studio and Ollama both serve); null when it does not answer in time. */
export function probeModels(baseUrl: string, signal: AbortSignal): Promise<readonly string[] | null> {
  const url = new URL(`${baseUrl.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1/models`);
  return new Promise((resolve) => {
    const request = (url.protocol === 'https:' ? httpsGet : httpGet)(url, { signal, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > LARGEST_LIST_BYTES) response.destroy();
      });
      response.on('end', () => resolve(response.statusCode === 200 ? readModels(body) : null));
      response.on('close', () => resolve(null));
    });
    request.on('error', () => resolve(null));
  });
}

function readModels(body: string): readonly string[] | null {
  try {
    return Models.parse(JSON.parse(body)).data?.map((it) => it.id) ?? [];
  } catch {
    return null;
  }
}

const EMBEDDING_NAME = /embed|bge|minilm|(^|[/-])(e5|gte)-/i;

/** The first model that talks and the first that makes vectors, judged by their names. */
export function pickModels(names: readonly string[]): { readonly model: string; readonly embeddingModel: string | null } {
  return { model: names.find((it) => !EMBEDDING_NAME.test(it)) ?? '', embeddingModel: names.find((it) => EMBEDDING_NAME.test(it)) ?? null };
}
