import type { ReactNode } from 'react';

interface TableProps {
  /** Read out, not shown. */
  readonly caption: string;
  /** Names of the columns; an empty one is read as nothing. */
  readonly head: readonly { readonly name: string; readonly className?: string }[];
  readonly children: ReactNode;
}

/** A table that scrolls inside itself where it is too wide. */
export function Table({ caption, head, children }: TableProps) {
  return (
    <div className="overflow-x-auto">
      <table className="w-full border-collapse text-left">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr className="border-b border-line text-[0.8125rem] text-ink-soft">
            {head.map(({ name, className = '' }) => (
              <th key={name} scope="col" className={`px-3 py-2 font-medium first:pl-5 last:pr-5 ${className}`}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="[&>tr:last-child]:border-0 [&>tr]:border-b [&>tr]:border-line [&_td]:px-3 [&_td]:py-3 [&_td:first-child]:pl-5 [&_td:last-child]:pr-5">
          {children}
        </tbody>
      </table>
    </div>
  );
}
