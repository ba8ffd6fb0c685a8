import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { AnswerPart } from '#agents/contract';
import { addPart } from './parts.ts';

it('Words of an answer run together, and tools stand between them', () => {
  const came: AnswerPart[] = [
    { type: 'text', text: 'Let me ' },
    { type: 'text', text: 'look.' },
    { type: 'tool_call', id: '1', name: 'search', input: {} },
    { type: 'tool_result', id: '1', name: 'search', output: 'found', isError: false },
    { type: 'text', text: 'Found.' },
  ];
  const before: readonly AnswerPart[] = [];
  const parts = came.reduce(addPart, before);
  assert.deepEqual(
    parts.map((part) => ('text' in part ? part.text : part.type)),
    ['Let me look.', 'tool_call', 'tool_result', 'Found.'],
  );
  assert.deepEqual(before, []);
});
