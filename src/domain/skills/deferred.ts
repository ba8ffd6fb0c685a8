import { z } from 'zod';
import { memoryCapability } from '#policy';
import type { DeferredAct, Skill, SkillContext } from './contract.ts';

const Remembered = z.object({ items: z.array(z.object({ kind: z.string() })) });

/** What is put off to the end of a run is decided when the skill asks for it: then the labels and the owner are at hand. */
export async function mayDefer(acts: readonly DeferredAct[], skill: Pick<Skill, 'foreign'>, { assertMay }: SkillContext): Promise<void> {
  for (const act of acts) for (const [capability, resource] of needs(act, skill)) await assertMay(capability, resource);
}

function needs({ kind, data }: DeferredAct, { foreign }: Pick<Skill, 'foreign'>): (readonly [capability: string, resource: string])[] {
  // the program's own book-keeping, such as which feeds answered
  if (kind.startsWith('skill.') && !foreign) return [];
  const items = kind === 'memory.remember' ? Remembered.safeParse(data).data?.items : undefined;
  if (!items) return [[kind.replace('.', ':'), '*']];
  return [...new Set(items.map((item) => item.kind))].map((each) => [memoryCapability(each), each]);
}
