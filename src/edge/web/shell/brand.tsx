import { t } from '../strings.ts';

export function Brand({ className = '' }: { readonly className?: string }) {
  return (
    <span className={`flex items-center gap-2.5 ${className}`}>
      <img src="/icon.svg" alt="" className="size-8" width={32} height={32} />
      <span className="font-serif text-lg font-semibold tracking-tight">{t.name}</span>
    </span>
  );
}
