import { t } from '../strings.ts';

/** The name with its tower, which public/icon.svg shows too. */
export function Brand({ className = '' }: { readonly className?: string }) {
  return (
    <span className={`flex items-center gap-2.5 ${className}`}>
      <svg aria-hidden viewBox="0 0 64 64" className="size-8 shrink-0">
        <rect width="64" height="64" rx="15" className="fill-(--brand)" />
        <path fill="#fff" d="M15 16h8v6h5v-6h8v6h5v-6h8v14l-5 4v15H36v-8a4 4 0 0 0-8 0v8H20V34l-5-4z" />
      </svg>
      <span className="font-serif text-lg font-semibold tracking-tight">{t.name}</span>
    </span>
  );
}
