import { mapTexts, type Json } from './json.ts';

/**
 * Takes secrets out of a text. The agent has one, the vault's, and whatever is stored, shown, sent or said to a model has passed it.
 * A plain function serves in tests.
 */
export interface Redact {
  (text: string): string;
  /** A value with the secrets of its texts taken out; a field's name counts, as in `{ "password": "…" }`. */
  readonly json?: (value: Json) => Json;
  /** A text that may be JSON, and then stays JSON. */
  readonly stored?: (text: string) => string;
}

/** Every text inside a value. */
export function redactJson<T extends Json>(redact: Redact, value: T): T {
  return (redact.json ? redact.json(value) : mapTexts(value, redact)) as T;
}
