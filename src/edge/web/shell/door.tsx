import { useEffect, type ReactNode } from 'react';
import { t } from '../strings.ts';
import { Brand } from './brand.tsx';

/** The page around a form that lets someone in. */
export function Door({ title, text, children }: { readonly title: string; readonly text?: string; readonly children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · ${t.name}`;
  }, [title]);
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="w-full max-w-sm">
        <Brand className="mb-8 justify-center" />
        <div className="rounded-card border border-line bg-surface p-7 shadow-low">
          <h1 className="font-serif text-2xl font-semibold tracking-tight">{title}</h1>
          {text !== undefined && <p className="mt-1.5 text-ink-soft">{text}</p>}
          <div className="mt-5">{children}</div>
        </div>
      </div>
    </main>
  );
}
