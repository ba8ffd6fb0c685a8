import type { Json } from '#core/json';

/** Any JSON value, readable. A text is shown as it is. */
export function Data({ value }: { readonly value: Json }) {
  return (
    <pre
      tabIndex={0}
      className="max-h-96 overflow-auto rounded-control bg-sunken p-3.5 font-mono text-[0.8125rem] leading-normal wrap-anywhere whitespace-pre-wrap"
    >
      {typeof value === 'string' ? value : JSON.stringify(value, null, 2)}
    </pre>
  );
}
