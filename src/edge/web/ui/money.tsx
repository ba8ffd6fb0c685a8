import { money } from './format.ts';

export function Money({ usd }: { readonly usd: number }) {
  return (
    <span className="tabular-nums" title={`$${usd.toFixed(6)}`}>
      {money(usd)}
    </span>
  );
}
