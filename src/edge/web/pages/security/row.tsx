import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

interface RowProps {
  readonly icon: LucideIcon;
  readonly title: ReactNode;
  readonly text?: ReactNode;
  /** Buttons, at the end of the row. */
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}

/** A line of a list: what it is, what is to know of it, what can be done with it. */
export function Row({ icon: Icon, title, text, actions, children }: RowProps) {
  return (
    <li className="border-t border-line px-5 py-4 first:border-0">
      <div className="flex flex-wrap items-start gap-x-3 gap-y-3">
        <Icon aria-hidden className="mt-0.5 size-5 shrink-0 text-ink-faint" />
        <div className="min-w-0 flex-1 basis-44">
          <div className="flex flex-wrap items-center gap-x-2 gap-y-1 font-medium wrap-anywhere">{title}</div>
          {text !== undefined && <div className="mt-0.5 flex flex-wrap gap-x-3 text-[0.8125rem] text-ink-soft wrap-anywhere">{text}</div>}
        </div>
        {actions !== undefined && <div className="ml-auto flex flex-wrap gap-2">{actions}</div>}
      </div>
      {children}
    </li>
  );
}
