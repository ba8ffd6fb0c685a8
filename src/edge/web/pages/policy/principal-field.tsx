import { useId } from 'react';
import { listWorkflows } from '#workflows/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { policyWords } from '../../strings/policy.ts';

interface PrincipalFieldProps {
  readonly value: string;
  readonly onChange: (principal: string) => void;
  /** Offers "all workflows" and the like too. */
  readonly isPattern?: boolean;
}

/** Who, with the owner's workflows to choose from by their titles. */
export function PrincipalField({ value, onChange, isPattern = false }: PrincipalFieldProps) {
  const id = useId();
  const workflows = useEndpoint(listWorkflows, { limit: 500 });
  const every = Object.entries(policyWords.every).filter(([kind]) => kind !== 'all');
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block text-[0.8125rem] font-medium">
        {policyWords.principal}
      </label>
      <input
        id={id}
        list={`${id}-known`}
        required
        value={value}
        onChange={(event) => onChange(event.target.value)}
        placeholder="workflow:…"
        autoCapitalize="none"
        spellCheck={false}
        aria-describedby={`${id}-hint`}
        className="h-11 w-full rounded-control border border-line-strong bg-surface px-3 text-base text-ink placeholder:text-ink-faint"
      />
      <datalist id={`${id}-known`}>
        {workflows.data?.items.map((it) => (
          <option key={it.id} value={`workflow:${it.id}`}>
            {it.title}
          </option>
        ))}
        {isPattern &&
          every.map(([kind, name]) => (
            <option key={kind} value={`${kind}:*`}>
              {name}
            </option>
          ))}
      </datalist>
      <p id={`${id}-hint`} className="mt-1.5 text-[0.8125rem] text-ink-soft">
        {policyWords.principalHint}
      </p>
    </div>
  );
}
