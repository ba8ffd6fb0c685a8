import { useId, type ReactNode } from 'react';

interface CardProps {
  readonly title?: string;
  /** Small, to the right of the title. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
  /** Without inner space: for lists and tables that reach the edge. */
  readonly flush?: boolean;
}

export function Card({ title, aside, children, className = '', flush = false }: CardProps) {
  const id = useId();
  return (
    <section
      {...(title !== undefined && { 'aria-labelledby': id })}
      className={`min-w-0 rounded-card border border-line bg-surface shadow-low ${className}`}
    >
      {title !== undefined && (
        <header className="flex min-h-13 flex-wrap items-center justify-between gap-x-4 gap-y-1 px-5 pt-4 pb-2">
          <h2 id={id} className="font-semibold">
            {title}
          </h2>
          {aside !== undefined && <div className="text-[0.8125rem] text-ink-soft">{aside}</div>}
        </header>
      )}
      <div className={flush ? 'pb-2' : title === undefined ? 'p-5' : 'px-5 pb-5'}>{children}</div>
    </section>
  );
}
