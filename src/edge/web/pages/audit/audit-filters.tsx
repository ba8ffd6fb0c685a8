import { Decision, type AuditFilter } from '#audit/contract';
import { auditWords } from '../../strings/audit.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Field } from '../../ui/field.tsx';

const w = auditWords;

interface AuditFiltersProps {
  readonly filter: AuditFilter;
  readonly onChange: (filter: AuditFilter) => void;
}

/** What is left empty is no part of the filter. */
export function AuditFilters({ filter, onChange }: AuditFiltersProps) {
  const set = (name: keyof AuditFilter, value: string | undefined): void => {
    const { [name]: _before, ...rest } = filter;
    onChange(value === undefined || value === '' ? rest : ({ ...rest, [name]: value } as AuditFilter));
  };
  const field = (name: 'q' | 'actor' | 'action' | 'resource', label: string, placeholder: string) => (
    <Field
      label={label}
      placeholder={placeholder}
      value={filter[name] ?? ''}
      onChange={(event) => set(name, event.target.value)}
      spellCheck={false}
    />
  );
  const day = (name: 'from' | 'to', label: string) => (
    <Field
      label={label}
      type="date"
      value={filter[name]?.slice(0, 10) ?? ''}
      onChange={(event) => set(name, event.target.value && `${event.target.value}T${name === 'from' ? '00:00:00' : '23:59:59'}Z`)}
    />
  );
  return (
    <Card>
      <form
        role="search"
        aria-label={w.filters}
        onSubmit={(event) => event.preventDefault()}
        className="grid grid-cols-2 gap-4 lg:grid-cols-4"
      >
        {field('q', w.words, w.wordsHint)}
        {field('actor', w.actor, 'owner, token:*')}
        {field('action', w.action, 'vault.*')}
        {field('resource', w.target, 'secret:*')}
        <label className="block">
          <span className="mb-1.5 block text-[0.8125rem] font-medium">{w.decision}</span>
          <select
            value={filter.decision ?? ''}
            onChange={(event) => set('decision', event.target.value)}
            className="h-11 w-full rounded-control border border-line-strong bg-surface px-3 text-base text-ink"
          >
            <option value="">{w.anyDecision}</option>
            {Decision.options.map((it) => (
              <option key={it} value={it}>
                {w.decisions[it]}
              </option>
            ))}
          </select>
        </label>
        {day('from', w.from)}
        {day('to', w.to)}
        <div className="flex items-end pb-0.5">
          <Button disabled={Object.keys(filter).length === 0} onClick={() => onChange({})}>
            {w.clear}
          </Button>
        </div>
      </form>
    </Card>
  );
}
