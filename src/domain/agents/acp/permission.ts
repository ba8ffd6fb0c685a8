import type { PermissionOption, RequestPermissionRequest, RequestPermissionResponse } from '@agentclientprotocol/sdk';
import type { Assistant } from '../contract.ts';

/** What a tool of an agent does, in the words of policy; by the kinds of the protocol. */
const CAPABILITIES: Readonly<Record<string, string>> = {
  read: 'file:read',
  search: 'file:read',
  edit: 'file:write',
  delete: 'file:write',
  move: 'file:write',
  execute: 'shell:run',
  fetch: 'net:fetch',
};

export interface Wanted {
  readonly capability: string;
  /** A path, a command, or the tool's title. */
  readonly resource: string;
}

export function wantedBy({ toolCall: { kind, title, locations, rawInput } }: RequestPermissionRequest): Wanted {
  const capability = CAPABILITIES[kind ?? 'other'] ?? 'agent:tool';
  const command = (rawInput as { command?: unknown } | null | undefined)?.command;
  const said = capability === 'shell:run' && typeof command === 'string' ? command : (locations?.[0]?.path ?? title ?? 'something');
  return { capability, resource: said.replaceAll(/\s+/g, ' ').slice(0, 500) };
}

/** What the assistant's mode says before anybody is asked; null leaves it to policy. */
export function byMode(mode: Assistant['permissionMode'], { capability }: Wanted): 'allow' | 'deny' | null {
  if (capability === 'file:read') return 'allow'; // the sandbox shows it nothing but its workspace
  if (mode === 'plan') return 'deny';
  if (mode === 'accept_edits' && capability === 'file:write') return 'allow';
  return mode === 'dont_ask' || mode === 'bypass_permissions' ? 'allow' : null;
}

/** The answer in the agent's own options. "Always" is ours to keep, so of two that allow the one for this time is taken. */
export function answerWith(options: readonly PermissionOption[], allowed: boolean): RequestPermissionResponse {
  const kinds = allowed ? ['allow_once', 'allow_always'] : ['reject_once', 'reject_always'];
  const option = kinds.flatMap((kind) => options.find((it) => it.kind === kind) ?? [])[0];
  return option ? { outcome: { outcome: 'selected', optionId: option.optionId } } : { outcome: { outcome: 'cancelled' } };
}
