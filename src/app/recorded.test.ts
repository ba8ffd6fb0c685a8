import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { fakeAudit } from '#audit/testing';
import { endpoint, route } from '#core/endpoint';
import { recorded } from './recorded.ts';

const add = endpoint({
  method: 'POST',
  path: '/api/things',
  grant: 'things:write',
  summary: 'Adds.',
  input: z.object({}),
  output: z.object({}),
});
const request = { caller: { id: 'token:7', grants: new Set(['*']) }, signal: new AbortController().signal };
const ACTS = {
  'POST /api/things': {
    action: 'thing.add',
    on: (_input: unknown, output: Readonly<Record<string, unknown>>) => `thing:${String(output['id'])}`,
    shown: ['kind'],
  },
};

describe('recorded routes', () => {
  it('say who did what, with the names of the fields and only the values that are meant to be kept', async () => {
    const audit = fakeAudit();
    const [it_] = recorded(audit, [route(add, async () => ({ id: 't1' }) as never)], ACTS);
    await it_!.handle({ kind: 'x', text: 'private words' } as never, request);
    assert.deepEqual(audit.entries, [
      { actor: 'token:7', action: 'thing.add', resource: 'thing:t1', details: { kind: 'x', fields: ['kind', 'text'] } },
    ]);
  });

  it('what failed is not recorded as done', async () => {
    const audit = fakeAudit();
    const [it_] = recorded(audit, [route(add, () => Promise.reject(new Error('no')))], ACTS);
    await assert.rejects(it_!.handle({} as never, request) as Promise<unknown>);
    assert.deepEqual(audit.entries, []);
  });

  it('a name that no route has is a mistake', () => {
    assert.throws(() => recorded(fakeAudit(), [], ACTS), /nothing to record/);
  });
});
