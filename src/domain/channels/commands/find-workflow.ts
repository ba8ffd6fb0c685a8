import { AppError } from '#core/errors';
import { nearest } from '#settings';
import type { WorkflowSummary } from '#workflows/contract';
import type { CommandPorts } from '../command.ts';
import { splitWords } from '../command.ts';

/**
 * The workflow that an argument begins with, by id, name or title in any case, in quotes or not, and what follows it.
 * Of several that fit, the longest name. Throws `channel.no_workflow` with the nearest names.
 */
export async function findWorkflow(
  workflows: CommandPorts['workflows'],
  argument: string,
): Promise<{ workflow: WorkflowSummary; rest: string }> {
  const all: WorkflowSummary[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await workflows.list({ limit: 500, ...(cursor !== undefined && { cursor }) });
    all.push(...page.items);
    cursor = page.next;
  }
  const quoted = /^(?:"([^"]+)"|'([^']+)'|“([^”]+)”)\s*([\s\S]*)$/.exec(argument);
  const name = quoted?.[1] ?? quoted?.[2] ?? quoted?.[3];
  const found =
    name === undefined
      ? longestPrefix(all, argument)
      : all.filter((each) => namesOf(each).includes(fold(name))).map((workflow) => ({ workflow, rest: quoted![4]! }))[0];
  if (found) return found;
  const wanted = name ?? splitWords(argument)[0]!;
  const close = nearest(
    fold(name ?? argument),
    all.flatMap(({ name: known }) => [known]),
  );
  const hint = close.length > 0 ? `Did you mean ${close.join(' or ')}?` : '/workflows lists them.';
  throw new AppError('not_found', 'channel.no_workflow', `There is no workflow "${wanted}". ${hint}`, { workflow: wanted });
}

function longestPrefix(all: readonly WorkflowSummary[], argument: string): { workflow: WorkflowSummary; rest: string } | undefined {
  const text = fold(argument);
  const fits = all.flatMap((workflow) => namesOf(workflow).map((name) => ({ workflow, name })));
  const [best] = fits
    .filter(({ name }) => name !== '' && (text === name || (text.startsWith(name) && /\s/.test(text[name.length]!))))
    .toSorted((a, b) => b.name.length - a.name.length);
  return best && { workflow: best.workflow, rest: argument.slice(best.name.length).trim() };
}

function namesOf({ id, name, title }: WorkflowSummary): string[] {
  return [id, name, title].map(fold);
}

function fold(text: string): string {
  return text.trim().toLowerCase();
}
