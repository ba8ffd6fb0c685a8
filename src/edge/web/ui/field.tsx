import { useId, type ComponentProps, type ReactNode } from 'react';

interface FieldProps extends ComponentProps<'input'> {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | null;
}

/** A labelled text field; hint and error are read out with it. */
export function Field({ label, hint, error = null, className = '', ...input }: FieldProps) {
  const id = useId();
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block text-[0.8125rem] font-medium">
        {label}
      </label>
      <input
        {...input}
        id={id}
        aria-invalid={error !== null}
        aria-describedby={`${id}-hint ${id}-error`}
        className="h-11 w-full rounded-control border border-line-strong bg-surface px-3 text-base text-ink placeholder:text-ink-faint aria-invalid:border-bad"
      />
      <div id={`${id}-hint`} className="mt-1.5 text-[0.8125rem] text-ink-soft empty:hidden">
        {hint}
      </div>
      <p id={`${id}-error`} role="alert" className="mt-1.5 text-[0.8125rem] text-bad empty:hidden">
        {error}
      </p>
    </div>
  );
}
