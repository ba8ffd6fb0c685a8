import { ChevronRight } from 'lucide-react';
import { useState, type ReactNode } from 'react';

/** Shown on demand; its content is made when first opened. */
export function Folded({
  title,
  children,
  className = '',
}: {
  readonly title: ReactNode;
  readonly children: () => ReactNode;
  readonly className?: string;
}) {
  const [wasOpen, setWasOpen] = useState(false);
  return (
    <details className={`group ${className}`} onToggle={(event) => event.currentTarget.open && setWasOpen(true)}>
      <summary className="flex items-center gap-1.5 rounded py-1 text-[0.8125rem] font-medium text-ink-soft hover:text-ink">
        <ChevronRight aria-hidden className="size-4 shrink-0 transition-transform group-open:rotate-90" />
        {title}
      </summary>
      {wasOpen && <div className="pt-1.5 pb-1">{children()}</div>}
    </details>
  );
}
