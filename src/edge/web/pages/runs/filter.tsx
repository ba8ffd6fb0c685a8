interface Filter {
  readonly label: string;
  readonly value: string;
  /** Value and what is shown for it; the first is for all. */
  readonly options: readonly (readonly [value: string, shown: string])[];
  readonly onChange: (value: string) => void;
}

/** A list is narrowed by one of a few values. */
export function Filter({ label, value, options, onChange }: Filter) {
  return (
    <label className="flex items-center gap-2.5 text-[0.8125rem] text-ink-soft max-sm:w-full">
      <span className="max-sm:w-18">{label}</span>
      <select
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="h-10 min-w-0 max-sm:flex-1 sm:max-w-48 rounded-control border border-line-strong bg-surface px-3 text-[0.9375rem] text-ink"
      >
        {options.map(([it, shown]) => (
          <option key={it} value={it}>
            {shown}
          </option>
        ))}
      </select>
    </label>
  );
}
