import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createBus } from './bus.ts';

declare module './bus.ts' {
  interface Events {
    'test.said': { readonly word: string };
    'test.other': { readonly n: number };
  }
}

function setup() {
  const failed: string[] = [];
  return { failed, bus: createBus((name, error) => void failed.push(`${name}: ${(error as Error).message}`)), heard: [] as string[] };
}

it('tells every subscriber of an event, and nobody else', async () => {
  const { bus, heard } = setup();
  const { signal } = new AbortController();
  bus.subscribe('test.said', ({ word }) => void heard.push(`a ${word}`), signal);
  bus.subscribe('test.said', ({ word }) => void heard.push(`b ${word}`), signal);
  bus.subscribe('test.other', () => assert.fail('not for me'), signal);
  bus.tap((name) => void heard.push(name), signal);
  await bus.publishAndWait('test.said', { word: 'hello' });
  assert.deepEqual(heard.toSorted(), ['a hello', 'b hello', 'test.said']);
});

it('a handler that fails is reported and hurts neither the publisher nor its neighbours', async () => {
  const { bus, heard, failed } = setup();
  const { signal } = new AbortController();
  const fail = (how: string): never => {
    throw new Error(how);
  };
  bus.tap(() => fail('tap'), signal);
  bus.subscribe('test.said', () => fail('at once'), signal);
  bus.subscribe('test.said', async () => fail('later'), signal);
  bus.subscribe('test.said', ({ word }) => void heard.push(word), signal);
  bus.publish('test.said', { word: 'one' });
  await bus.publishAndWait('test.said', { word: 'two' });
  assert.deepEqual(heard, ['one', 'two']);
  assert.deepEqual(
    failed.toSorted(),
    ['at once', 'at once', 'later', 'later', 'tap', 'tap'].map((how) => `test.said: ${how}`),
  );
});

it('a subscription ends with its signal, and one that comes too late never begins', async () => {
  const { bus, heard } = setup();
  const life = new AbortController();
  bus.subscribe('test.said', ({ word }) => void heard.push(word), life.signal);
  bus.tap(() => void heard.push('tap'), life.signal);
  life.abort();
  bus.subscribe('test.said', ({ word }) => void heard.push(word), life.signal);
  bus.tap(() => void heard.push('tap'), life.signal);
  await bus.publishAndWait('test.said', { word: 'hello' });
  assert.deepEqual(heard, []);
});
