import type { Liquid } from 'liquidjs';
import { AppError } from '#core/errors';
import type { Json } from '#core/json';

/** What a template or an expression can see; plain data, no host objects. */
export type Scope = Readonly<Record<string, unknown>>;

/** Liquid (shopify.github.io/liquid) over plain data: prompts, configuration strings, conditions. */
export interface Templates {
  /** Text with its placeholders filled in; objects appear as JSON. */
  render(template: string, scope: Scope): Promise<string>;
  /** The value of an expression: `steps.fetch.items.size > 3`. */
  evaluate(expression: string, scope: Scope): Promise<unknown>;
  /** A JSON value whose strings are templates; one that is a single placeholder keeps its value's type. */
  fill(value: Json, scope: Scope): Promise<Json>;
  /** The reason a template or expression cannot be read, or null. */
  problem(text: string, as: 'template' | 'expression'): Promise<string | null>;
}

const LONGEST_OUTPUT = 4_000_000;
const LONGEST_RENDER_MS = 2_000;

export const hasTemplate = (text: string): boolean => text.includes('{{') || text.includes('{%');

export function createTemplates(): Templates {
  let loading: Promise<Liquid> | undefined;
  const engine = (): Promise<Liquid> => (loading ??= load());

  async function render(template: string, scope: Scope): Promise<string> {
    if (!hasTemplate(template)) return template;
    try {
      return (await (await engine()).parseAndRender(template, scope)) as string;
    } catch (cause) {
      throw new AppError('invalid', 'workflow.bad_template', `The template cannot be filled in: ${(cause as Error).message}`, {}, cause);
    }
  }

  async function evaluate(expression: string, scope: Scope): Promise<unknown> {
    try {
      return (await (await engine()).evalValue(expression, scope)) as unknown;
    } catch (cause) {
      throw new AppError(
        'invalid',
        'workflow.bad_expression',
        `The expression "${expression}" cannot be evaluated: ${(cause as Error).message}`,
        {},
        cause,
      );
    }
  }

  async function fill(value: Json, scope: Scope): Promise<Json> {
    if (typeof value === 'string') {
      const single = /^\{\{([^{}]*)\}\}$/.exec(value.trim());
      if (single) return toJson(await evaluate(single[1]!.trim(), scope));
      return render(value, scope);
    }
    if (Array.isArray(value)) return Promise.all(value.map((each: Json) => fill(each, scope)));
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(
        await Promise.all(Object.entries(value).map(async ([key, each]) => [key, await fill(each as Json, scope)] as const)),
      );
    }
    return value;
  }

  async function problem(text: string, as: 'template' | 'expression'): Promise<string | null> {
    try {
      const liquid = await engine();
      liquid.parse(as === 'template' ? text : `{{ ${text} }}`);
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  return { render, evaluate, fill, problem };
}

async function load(): Promise<Liquid> {
  const { Liquid: Engine } = await import('liquidjs');
  const engine = new Engine({
    ownPropertyOnly: true,
    relativeReference: false,
    outputEscape: toText,
    memoryLimit: LONGEST_OUTPUT,
    renderLimit: LONGEST_RENDER_MS,
    // nothing is ever read from a file: a template cannot include another
    fs: { exists: async () => false, existsSync: () => false, readFile: refuse, readFileSync: refuse, resolve: (_dir, file) => file },
  });
  return engine;
}

function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : JSON.stringify(value, null, 2);
}

function refuse(): never {
  throw new Error('templates cannot read files');
}

function toJson(value: unknown): Json {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as Json);
}
