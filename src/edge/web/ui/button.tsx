import { LoaderCircle } from 'lucide-react';
import type { ComponentProps } from 'react';

const LOOKS = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong',
  plain: 'border border-line-strong bg-surface text-ink hover:bg-sunken',
  quiet: 'text-ink-soft hover:bg-sunken hover:text-ink',
  danger: 'border border-line-strong bg-surface text-bad hover:border-bad hover:bg-bad-soft',
} as const;

const SIZES = { normal: 'h-10 px-4 gap-2', small: 'h-8 px-3 gap-1.5 text-[0.8125rem]', icon: 'size-10' } as const;

export type ButtonLook = keyof typeof LOOKS;

/** The shape of a button, for links that look like one. */
export function buttonClass(look: ButtonLook = 'plain', size: keyof typeof SIZES = 'normal'): string {
  return `inline-flex shrink-0 items-center justify-center rounded-control font-medium whitespace-nowrap transition-colors disabled:opacity-55 ${SIZES[size]} ${LOOKS[look]}`;
}

interface ButtonProps extends ComponentProps<'button'> {
  readonly look?: ButtonLook;
  readonly size?: keyof typeof SIZES;
  /** Something is under way: shown, and not pressed twice. */
  readonly busy?: boolean;
}

export function Button({ look = 'plain', size = 'normal', busy = false, disabled, className = '', children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled === true || busy}
      aria-busy={busy}
      className={`${buttonClass(look, size)} ${className}`}
    >
      {busy && <LoaderCircle aria-hidden className="size-4 animate-turn" />}
      {children}
    </button>
  );
}
