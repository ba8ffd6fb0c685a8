import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf, toFailure } from './failure.ts';
import type { FailureReason } from './contract.ts';

const cases: readonly {
  name: string;
  status: number;
  headers?: Record<string, string>;
  body: unknown;
  reason: FailureReason;
  retryAfterMs?: number;
}[] = [
  {
    name: 'Retry-After as a date',
    status: 429,
    headers: { 'retry-after': 'Sat, 21 Nov 2026 10:00:30 GMT', date: 'Sat, 21 Nov 2026 10:00:00 GMT' },
    body: {},
    reason: 'rate_limited',
    retryAfterMs: 30_000,
  },
  {
    name: 'retry-after-ms',
    status: 429,
    headers: { 'retry-after-ms': '350', 'retry-after': '1' },
    body: {},
    reason: 'rate_limited',
    retryAfterMs: 350,
  },
  {
    name: 'a wait with a fraction',
    status: 429,
    body: { error: { status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '3.5s' }] } },
    reason: 'rate_limited',
    retryAfterMs: 3500,
  },
  {
    name: 'a daily quota, though it names a delay',
    status: 429,
    body: {
      error: {
        status: 'RESOURCE_EXHAUSTED',
        details: [
          { '@type': 'QuotaFailure', violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }] },
          { retryDelay: '13s' },
        ],
      },
    },
    reason: 'quota',
    retryAfterMs: 13_000,
  },
  { name: 'no money left', status: 402, body: { error: { message: 'Insufficient credits' } }, reason: 'quota' },
  {
    name: 'Google’s error in an array',
    status: 429,
    body: [{ error: { status: 'RESOURCE_EXHAUSTED', message: 'quota' } }],
    reason: 'quota',
  },
  {
    name: 'Ollama without the model',
    status: 404,
    body: { error: { message: 'model "llama9" not found, try pulling it first' } },
    reason: 'model_missing',
  },
  { name: 'Ollama’s native error', status: 404, body: { error: "model 'llama9' not found" }, reason: 'model_missing' },
  {
    name: 'LM Studio with nothing loaded',
    status: 400,
    body: { error: { message: 'No models loaded. Please load a model' } },
    reason: 'model_missing',
  },
  { name: 'a path that is not there', status: 404, body: '404 page not found', reason: 'protocol' },
  { name: 'a web page', status: 405, body: '<html>nginx</html>', reason: 'protocol' },
  { name: 'a gateway’s time-out', status: 504, body: '', reason: 'server' },
  {
    name: 'an answer too large',
    status: 413,
    body: { type: 'error', error: { type: 'request_too_large', message: 'too large' } },
    reason: 'bad_request',
  },
  { name: 'a country that is not served', status: 403, body: { error: { code: 'unsupported_country_region_territory' } }, reason: 'auth' },
];

for (const { name, status, headers = {}, body, reason, retryAfterMs } of cases) {
  test(`reads ${name} as ${reason}`, () => {
    const failure = failureOf(status, headers, typeof body === 'string' ? body : JSON.stringify(body));
    assert.equal(failure.reason, reason);
    assert.equal(failure.retryAfterMs, retryAfterMs);
    assert.equal(failure.status, status);
  });
}

test('finds the network error beneath the library’s', () => {
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  assert.equal(toFailure(new TypeError('fetch failed', { cause: refused })).reason, 'refused');
  const untrusted = Object.assign(new Error('self-signed'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  assert.equal(toFailure(new TypeError('fetch failed', { cause: untrusted })).reason, 'refused');
});

test('survives a chain of causes that bites its tail', () => {
  const error = new Error('loop');
  error.cause = error;
  assert.equal(toFailure(error).reason, 'protocol');
});
