import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react';
import type { FactorNeed } from '#core/client';
import { useApi } from '../api/api.ts';
import type { Asked } from './factor-dialog.tsx';

const FactorDialog = lazy(() => import('./factor-dialog.tsx').then(({ FactorDialog: dialog }) => ({ default: dialog })));

/** The one place where a second factor is asked for: whatever request needed it is then sent again. */
export function FactorArea({ children }: { readonly children: ReactNode }) {
  const { onFactorAsked } = useApi();
  const [asked, setAsked] = useState<Asked | null>(null);

  useEffect(() => {
    let open: Asked | null = null;
    const ask = (need: FactorNeed): Promise<string | null> =>
      new Promise((resolve) => {
        open?.answer(null); // one question at a time
        const answer = (proof: string | null): void => {
          open = null;
          setAsked(null);
          resolve(proof);
        };
        open = { need, answer };
        setAsked(open);
      });
    return onFactorAsked(ask);
  }, [onFactorAsked]);

  return (
    <>
      {children}
      <Suspense fallback={null}>{asked && <FactorDialog {...asked} />}</Suspense>
    </>
  );
}
