import { AppError } from '#core/errors';
import type { Json } from '#core/json';
import type { SkillInfo } from '#skills/contract';
import { Definition, GATE, type MapStep, type SkillStep, type Step, type Trigger } from './contract.ts';
import { hasTemplate, type Templates } from './template.ts';

/** One thing that is wrong, where the owner can find it. */
export interface Issue {
  readonly step: string | null;
  readonly field: string;
  readonly message: string;
}

/** What validation must know of its neighbours. */
export interface ValidationPorts {
  skill(name: string): (Pick<SkillInfo, 'name' | 'outcomes'> & Partial<Pick<SkillInfo, 'disabled'>>) | undefined;
  /** What to say of a skill that is not there. */
  absentSkill?(name: string): string;
  /** Problems of a skill's configuration, as field and message. */
  checkConfig(skill: string, config: unknown): readonly { readonly field: string; readonly message: string }[];
  /** Why a trigger cannot be, or null. */
  checkTrigger(trigger: Trigger): string | null;
  provider(name: string): Promise<boolean>;
  /** Why a value may not be kept in plain text, and where in it; nothing is looked for when left out. */
  objection?(value: Json): { readonly field: string; readonly message: string } | null;
  workflow(name: string): Promise<boolean>;
  /** Left out where there is no agent to ask. */
  workspace?(name: string): Promise<boolean>;
}

const EVERY_OUTCOME = ['default', 'on_error', 'on_timeout', 'skipped'];

/** Reads a definition; throws `workflow.invalid` with every issue when anything is wrong. */
export async function readDefinition(raw: unknown, ports: ValidationPorts, templates: Templates): Promise<Definition> {
  const { definition, issues } = await inspectDefinition(raw, ports, templates);
  if (definition && issues.length === 0) return definition;
  const [first] = issues;
  const where = first?.step ? `step "${first.step}"` : 'the workflow';
  throw new AppError('invalid', 'workflow.invalid', `${where}: ${first?.field ? `${first.field}: ` : ''}${first?.message}`, { issues });
}

export async function inspectDefinition(
  raw: unknown,
  ports: ValidationPorts,
  templates: Templates,
): Promise<{ definition: Definition | null; issues: Issue[] }> {
  const parsed = Definition.safeParse(raw);
  if (!parsed.success) return { definition: null, issues: parsed.error.issues.map((issue) => locate(raw, issue.path, issue.message)) };
  const definition = parsed.data;
  const objection = ports.objection?.(definition as Json);
  const held = objection ? [locate(raw, pathOf(objection.field), objection.message)] : [];
  const issues = [
    ...held,
    ...(await stepIssues(definition.steps, ports, templates, definition.name)),
    ...(await headIssues(definition, ports)),
  ];
  return { definition, issues };
}

/** `steps[2].config.key` as its parts. */
function pathOf(field: string): (string | number)[] {
  return field.split(/[.[\]]+/).flatMap((part) => (part === '' ? [] : [/^\d+$/.test(part) ? Number(part) : part]));
}

/** Turns `steps.2.map.steps.0.config` into the id of the innermost step and the field within it. */
function locate(raw: unknown, path: readonly PropertyKey[], message: string): Issue {
  let at = raw;
  let step: string | null = null;
  let field = path;
  for (const [index, key] of path.entries()) {
    at = (at as Record<PropertyKey, unknown> | undefined)?.[key];
    if (typeof key === 'number' && path[index - 1] === 'steps') {
      const id = (at as { id?: unknown } | undefined)?.id;
      step = typeof id === 'string' ? id : `#${key + 1}`;
      field = path.slice(index + 1);
    }
  }
  return { step, field: field.map(String).join('.'), message };
}

async function headIssues(definition: Definition, ports: ValidationPorts): Promise<Issue[]> {
  const issues: Issue[] = [];
  for (const [index, trigger] of definition.triggers.entries()) {
    const message = ports.checkTrigger(trigger);
    if (message) issues.push({ step: null, field: `triggers.${index}`, message });
  }
  if (definition.requires2fa && definition.steps.some(({ id }) => id === GATE))
    issues.push({ step: GATE, field: 'id', message: 'is the name of the confirmation that requires2fa asks for: choose another' });
  if (definition.output && !definition.steps.some(({ id }) => id === definition.output))
    issues.push({ step: null, field: 'output', message: `no step is called "${definition.output}"` });
  if (definition.provider && !(await ports.provider(definition.provider)))
    issues.push({ step: null, field: 'provider', message: `no provider is called "${definition.provider}"` });
  if (definition.workspace && ports.workspace && !(await ports.workspace(definition.workspace)))
    issues.push({ step: null, field: 'workspace', message: `no workspace is called "${definition.workspace}"` });
  return issues;
}

async function stepIssues(steps: readonly Step[], ports: ValidationPorts, templates: Templates, workflow: string): Promise<Issue[]> {
  const issues: Issue[] = [];
  const ids = steps.map(({ id }) => id);
  for (const [index, step] of steps.entries()) {
    const add = (field: string, message: string): void => void issues.push({ step: step.id, field, message });
    if (ids.indexOf(step.id) !== index) add('id', `another step is called "${step.id}" too`);
    if (step.id === 'end') add('id', '"end" means the end of the run; choose another id');
    for (const target of targets(step)) if (target !== 'end' && !ids.includes(target)) add('next', `no step is called "${target}"`);
    for (const source of [step.inputFrom ?? []].flat())
      if (!ids.includes(source) || source === step.id) add('inputFrom', `no other step is called "${source}"`);
    if (step.when) await expression(step.when, 'when', templates, add);
    if (typeof step.onFailure === 'object') checkSkill(step.onFailure.skill, step.onFailure.config, 'onFailure', ports, add);
    if ('skill' in step) await skillIssues(step, ports, templates, add);
    if ('map' in step) issues.push(...(await mapIssues(step, ports, templates, workflow, add)));
    if ('approval' in step) await template(step.approval.question, 'approval.question', templates, add);
    if ('wait' in step && 'until' in step.wait && !hasTemplate(step.wait.until) && Number.isNaN(Date.parse(step.wait.until)))
      add('wait.until', 'is neither an ISO 8601 time nor a template');
    if ('workflow' in step) {
      if (step.workflow.name === workflow) add('workflow.name', 'a workflow cannot contain itself');
      else if (!(await ports.workflow(step.workflow.name))) add('workflow.name', `no workflow is called "${step.workflow.name}"`);
    }
  }
  return issues;
}

type Add = (field: string, message: string) => void;

async function skillIssues(step: SkillStep, ports: ValidationPorts, templates: Templates, add: Add): Promise<void> {
  const info = checkSkill(step.skill, step.config, 'config', ports, add);
  if (step.prompt) await template(step.prompt, 'prompt', templates, add);
  if (step.provider && !(await ports.provider(step.provider))) add('provider', `no provider is called "${step.provider}"`);
  if (!info) return;
  const named = typeof step.next === 'object' ? Object.keys(step.next) : [];
  for (const outcome of [...named, ...(step.retry?.on ?? [])]) {
    if (![...info.outcomes, ...EVERY_OUTCOME].includes(outcome))
      add('next', `${step.skill} never ends as "${outcome}"; it ends as ${info.outcomes.join(', ')}, on_error or on_timeout`);
  }
}

function checkSkill(name: string, config: unknown, field: string, ports: ValidationPorts, add: Add): ReturnType<ValidationPorts['skill']> {
  const info = ports.skill(name);
  if (!info) {
    add('skill', ports.absentSkill?.(name) ?? `there is no skill "${name}"`);
    return undefined;
  }
  if (info.disabled) add('skill', `the skill "${name}" is disabled: ${info.disabled}`);
  for (const issue of ports.checkConfig(name, config ?? {})) {
    if (!isTemplate(config, issue.field)) add(`${field}${issue.field ? `.${issue.field}` : ''}`, issue.message);
  }
  return info;
}

async function mapIssues(step: MapStep, ports: ValidationPorts, templates: Templates, workflow: string, add: Add): Promise<Issue[]> {
  if (step.map.over) await expression(step.map.over, 'map.over', templates, add);
  const inner = await stepIssues(step.map.steps, ports, templates, workflow);
  return inner.map((issue) => ({ ...issue, step: `${step.id}/${issue.step}` }));
}

async function expression(text: string, field: string, templates: Templates, add: Add): Promise<void> {
  const problem = await templates.problem(text, 'expression');
  if (problem) add(field, problem);
}

async function template(text: string, field: string, templates: Templates, add: Add): Promise<void> {
  if (!hasTemplate(text)) return;
  const problem = await templates.problem(text, 'template');
  if (problem) add(field, problem);
}

export function targets(step: Step): string[] {
  if (step.next === undefined) return [];
  return typeof step.next === 'string' ? [step.next] : Object.values(step.next);
}

/** A value that is only known when the step runs is checked then. */
function isTemplate(config: unknown, field: string): boolean {
  let at: unknown = config;
  for (const key of field === '' ? [] : field.split('.')) at = (at as Record<string, unknown> | undefined)?.[key];
  return typeof at === 'string' && hasTemplate(at);
}
