import { useEffect, type ReactNode } from 'react';
import { t } from '../strings.ts';

/** The title of a page, in the page and in the tab. */
export function PageHead({
  title,
  text,
  small = false,
  children,
}: {
  readonly title: string;
  readonly text?: ReactNode;
  readonly small?: boolean;
  readonly children?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · ${t.name}`;
  }, [title]);
  return (
    <header className="mb-6 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1
          className={`font-serif font-semibold tracking-tight ${small ? 'line-clamp-2 text-xl leading-snug' : 'text-[1.75rem] leading-tight text-balance wrap-anywhere'}`}
        >
          {title}
        </h1>
        {text !== undefined && <div className="mt-1 text-ink-soft">{text}</div>}
      </div>
      {children}
    </header>
  );
}
