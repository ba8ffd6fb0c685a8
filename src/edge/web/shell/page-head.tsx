import { useEffect, type ReactNode } from 'react';
import { t } from '../strings.ts';

/** The title of a page, in the page and in the tab. */
export function PageHead({ title, text, children }: { readonly title: string; readonly text?: ReactNode; readonly children?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · ${t.name}`;
  }, [title]);
  return (
    <header className="mb-6 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="font-serif text-[1.75rem] leading-tight font-semibold tracking-tight text-balance wrap-anywhere">{title}</h1>
        {text !== undefined && <div className="mt-1 text-ink-soft">{text}</div>}
      </div>
      {children}
    </header>
  );
}
