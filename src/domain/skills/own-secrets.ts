import { mapTexts, type Json } from '#core/json';
import type { LlmRequest, ScopedLlm } from '#llm/contract';
import type { Handles } from '#vault';
import type { SkillContext } from './contract.ts';

/**
 * A context in which handles of secrets go nowhere but to the fetch: a model reads `@secret:name`, and so do receipts, journals and
 * messages. A handle that a model learned could be written into a later request by it.
 */
export function withoutHandles(context: SkillContext, { release }: Handles): SkillContext {
  const clean = <T>(value: T): T => mapTexts(value as Json, release) as T;
  return Object.defineProperties({} as SkillContext, {
    ...Object.getOwnPropertyDescriptors(context),
    llm: { value: cleanLlm(context.llm, clean) },
    effect: {
      value: ((plan) =>
        context.effect({ ...plan, target: release(plan.target), intent: clean(plan.intent) })) satisfies SkillContext['effect'],
    },
    deliver: { value: ((message) => context.deliver({ ...message, text: release(message.text) })) satisfies SkillContext['deliver'] },
    note: { value: ((type, data) => context.note(type, clean(data))) satisfies SkillContext['note'] },
    memory: {
      value: {
        ...context.memory,
        add: (item: Parameters<SkillContext['memory']['add']>[0]) => context.memory.add(clean(item)),
        search: (query: string, options?: Parameters<SkillContext['memory']['search']>[1]) =>
          context.memory.search(release(query), options),
      },
    },
  });
}

function cleanLlm(llm: ScopedLlm, clean: <T>(value: T) => T): ScopedLlm {
  const cleaned = <R extends LlmRequest>(request: R): R => ({
    ...request,
    ...(request.system !== undefined && { system: clean(request.system) }),
    ...(request.prompt !== undefined && { prompt: clean(request.prompt) }),
    ...(request.messages !== undefined && { messages: clean(request.messages) }),
    ...(request.task !== undefined && { task: clean(request.task) }),
  });
  return {
    stream: (request) => llm.stream(cleaned(request)),
    complete: (request) => llm.complete(cleaned(request)),
    object: (request) => llm.object(cleaned(request)),
    embed: (texts, options) => llm.embed(clean(texts), options),
  };
}
