/** A value that must not be seen: it prints as `[secret]` wherever it is logged, joined or serialised, and opens only inside `use`. */
export interface Secret {
  use<T>(fn: (value: string) => T): T;
  toString(): string;
  toJSON(): string;
}

export function secret(value: string): Secret {
  const hidden = '[secret]';
  return Object.freeze({
    use: <T>(fn: (value: string) => T) => fn(value),
    toString: () => hidden,
    toJSON: () => hidden,
    [Symbol.for('nodejs.util.inspect.custom')]: () => hidden,
  });
}
