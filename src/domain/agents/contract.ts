import type { TurnStatus } from './shapes.ts';

export * from './api.ts';
export * from './shapes.ts';

declare module '#core/bus' {
  interface Events {
    'conversation.changed': { readonly id: string; readonly change: 'added' | 'changed' | 'removed' };
    'turn.changed': { readonly conversationId: string; readonly runId: string; readonly answerId: string; readonly status: TurnStatus };
  }
}
