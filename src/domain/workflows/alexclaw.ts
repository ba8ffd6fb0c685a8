import { z } from 'zod';
import { AnyJson, check, type Json } from '#core/json';
import type { ValidationPorts } from './validate.ts';

/** A file exported by AlexClaw (format version 1), read for what Castellan needs. */
const Export = z.object({
  version: z.literal(1),
  workflow: z.object({
    name: z.string().min(1),
    description: z.string().nullish(),
    schedule: z.string().nullish(),
    default_provider: z.string().nullish(),
    metadata: z.object({ requires_2fa: z.boolean().optional() }).nullish(),
  }),
  steps: z.array(
    z.object({
      position: z.int(),
      name: z.string(),
      skill: z.string(),
      llm_tier: z.enum(['light', 'medium', 'heavy', 'local']).nullish(),
      llm_model: z.string().nullish(),
      prompt_template: z.string().nullish(),
      config: z.record(z.string(), AnyJson).nullish(),
      input_from: z.int().nullish(),
      routes: z.array(z.object({ branch: z.string(), goto: z.union([z.int(), z.literal('end')]) })).nullish(),
    }),
  ),
  resources: z
    .array(
      z.object({
        name: z.string(),
        type: z.string(),
        url: z.string().nullish(),
        content: z.string().nullish(),
        metadata: z.record(z.string(), AnyJson).nullish(),
        tags: z.array(z.string()).nullish(),
        enabled: z.boolean().nullish(),
      }),
    )
    .nullish(),
});
type Export = z.infer<typeof Export>;

/** Skills whose behaviour here is the same under another name. */
const RENAMED: Readonly<Record<string, string>> = { telegram_notify: 'notify', discord_notify: 'notify' };
/** Keys of a step's config that are fields of the step here. */
const CREDENTIALS = /token|secret|password|api_?key|authorization/i;

interface ForeignProvider {
  readonly [field: string]: unknown;
  readonly provider?: string | undefined;
}
interface ForeignStep extends ForeignProvider {
  readonly name: string;
  readonly skill: string;
  readonly config?: Readonly<Record<string, Json>>;
}
/** A definition that may name what this program does not have. */
export interface Foreign extends ForeignProvider {
  readonly name: string;
  readonly steps: readonly ForeignStep[];
}

export function isAlexClaw(raw: unknown): boolean {
  const it = raw as { version?: unknown; workflow?: unknown; steps?: unknown } | null;
  return it !== null && typeof it === 'object' && it.version === 1 && typeof it.workflow === 'object' && Array.isArray(it.steps);
}

/** The same workflow as a definition of ours, with a warning for whatever could not be carried over. */
export function fromAlexClaw(raw: unknown): { definition: Foreign; warnings: string[] } {
  const file = check(raw, Export, 'AlexClaw export');
  const warnings: string[] = [];
  const steps = file.steps.toSorted((a, b) => a.position - b.position);
  const ids = new Map<number, string>();
  for (const step of steps) ids.set(step.position, freeId(slug(step.name) || slug(step.skill), [...ids.values()]));
  const schedule = file.workflow.schedule?.trim();
  return {
    warnings,
    definition: {
      name: slug(file.workflow.name).slice(0, 80) || 'imported',
      title: file.workflow.name,
      description: file.workflow.description ?? '',
      ...(named(file.workflow.default_provider) && { provider: file.workflow.default_provider }),
      ...(file.workflow.metadata?.requires_2fa && { requires2fa: true }),
      // its scheduler read every expression in UTC
      triggers: schedule ? [{ kind: 'cron', expression: schedule, timeZone: 'UTC' }] : [],
      resources: (file.resources ?? []).flatMap((resource) => toResource(resource, warnings)),
      steps: steps.map((step) => toStep(step, ids, warnings)),
    },
  };
}

function toStep(step: Export['steps'][number], ids: ReadonlyMap<number, string>, warnings: string[]): ForeignStep {
  const id = ids.get(step.position)!;
  const { timeout_ms, on_circuit_open, fallback_skill, on_missing_skill: _dropped, ...rest } = step.config ?? {};
  const config = Object.fromEntries(
    Object.entries(rest)
      .map(renamed)
      .filter(([key]) => {
        const isSecret = CREDENTIALS.test(key);
        if (isSecret)
          warnings.push(
            `Step "${step.name}": the credential "${key}" was not imported; store it as a secret and refer to it as @secret:name.`,
          );
        return !isSecret;
      }),
  );
  const routes = step.routes ?? [];
  const next = Object.fromEntries(routes.map(({ branch, goto }) => [branch, goto === 'end' ? 'end' : (ids.get(goto) ?? 'end')]));
  // there, one route on a step ended the run on all its other branches
  if (routes.length > 0 && !('default' in next)) next['default'] = 'end';
  return {
    id,
    name: step.name,
    skill: RENAMED[step.skill] ?? step.skill,
    ...(Object.keys(config).length > 0 && { config }),
    ...(step.prompt_template && { prompt: placeholders(step.prompt_template) }),
    ...(step.llm_tier && { tier: step.llm_tier }),
    ...(named(step.llm_model) && { provider: step.llm_model }),
    ...(step.input_from != null && ids.has(step.input_from) && { inputFrom: ids.get(step.input_from) }),
    ...(routes.length > 0 && { next }),
    ...(typeof timeout_ms === 'number' && { timeoutMs: timeout_ms }),
    ...(on_circuit_open === 'skip' && { onFailure: 'skip' }),
    ...(on_circuit_open === 'fallback' && typeof fallback_skill === 'string' && { onFailure: { skill: fallback_skill } }),
  };
}

/** What this program does not have is left out of a definition that was read, with a warning, so that the rest can be kept: options, providers. */
export async function fitted(
  definition: Foreign,
  ports: Pick<ValidationPorts, 'skill' | 'checkConfig' | 'provider'>,
  warnings: string[],
): Promise<Foreign> {
  const known = async ({ provider, ...rest }: ForeignProvider, where: string): Promise<ForeignProvider> => {
    if (provider === undefined || (await ports.provider(provider))) return { ...rest, ...(provider !== undefined && { provider }) };
    warnings.push(`${where}: there is no provider "${provider}" here; the chain of its tier is asked instead.`);
    return rest;
  };
  const steps = [];
  for (const step of definition.steps) {
    const issues = ports.skill(step.skill) ? ports.checkConfig(step.skill, step.config ?? {}) : [];
    const bad = new Set(issues.map(({ field }) => field.split('.')[0]!));
    const config = Object.fromEntries(Object.entries(step.config ?? {}).filter(([key]) => !bad.has(key)));
    for (const key of Object.keys(step.config ?? {}).filter((each) => bad.has(each)))
      warnings.push(`Step "${step.name}": ${step.skill} has no option "${key}" that takes this value; it was left out.`);
    const { config: _, ...rest } = step;
    steps.push({ ...(await known(rest, `Step "${step.name}"`)), ...(Object.keys(config).length > 0 && { config }) } as ForeignStep);
  }
  return { ...((await known(definition, 'The workflow')) as Foreign), steps };
}

function toResource(resource: NonNullable<Export['resources']>[number], warnings: string[]): unknown[] {
  const known = ['rss_feed', 'website', 'api', 'document', 'automation'];
  if (!known.includes(resource.type)) {
    warnings.push(`Resource "${resource.name}" of type "${resource.type}" was left out.`);
    return [];
  }
  const { auth, ...metadata } = resource.metadata ?? {};
  if (auth !== undefined) warnings.push(`Resource "${resource.name}": its credentials were not imported.`);
  return [
    {
      name: resource.name,
      type: resource.type,
      ...(resource.url && { url: resource.url }),
      ...(resource.content && { content: resource.content }),
      metadata,
      tags: resource.tags ?? [],
      enabled: resource.enabled ?? true,
    },
  ];
}

/** Its options have our names in snake case; its waits were in seconds. */
function renamed([key, value]: [string, Json]): [string, Json] {
  if (key === 'fetch_timeout' && typeof value === 'number') return ['timeoutMs', value * 1_000];
  return [key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value];
}

/** `{input}` and `{resources}` as Liquid. */
const placeholders = (template: string): string => template.replace(/(?<!\{)\{(input|resources)\}(?!\})/g, '{{ $1 }}');
const named = (provider: string | null | undefined): provider is string => Boolean(provider) && provider !== 'auto';

function slug(text: string): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 50);
  return /^[a-z]/.test(plain) || plain === '' ? plain : `w-${plain}`;
}

function freeId(wanted: string, taken: readonly string[]): string {
  const base = wanted && wanted !== 'end' ? wanted : 'step';
  let id = base;
  for (let n = 2; taken.includes(id); n += 1) id = `${base}-${n}`;
  return id;
}
