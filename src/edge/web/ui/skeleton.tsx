/** Lines where text will be. */
export function Skeleton({ lines = 3, className = '' }: { readonly lines?: number; readonly className?: string }) {
  const widths = ['w-11/12', 'w-full', 'w-4/5', 'w-2/3'];
  return (
    <div aria-hidden className={`animate-breathe space-y-3 py-1 ${className}`}>
      {Array.from({ length: lines }, (_, at) => (
        <div key={at} className={`h-3.5 rounded bg-sunken ${widths[at % widths.length]}`} />
      ))}
    </div>
  );
}
