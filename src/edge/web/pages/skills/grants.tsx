import type { GrantLine } from '#skills/contract';
import { skillsWords } from '../../strings/skills.ts';

const MARKS = { added: '+', removed: '−', kept: '' } as const;
const TONES = { added: 'text-warn', removed: 'text-ink-faint line-through', kept: '' } as const;

interface GrantsProps {
  readonly grants: readonly GrantLine[];
  /** How they stand to those of the installed version. */
  readonly as?: keyof typeof MARKS;
}

/** What a skill may do, one line for each grant, with what it is for. */
export function Grants({ grants, as = 'kept' }: GrantsProps) {
  if (grants.length === 0) return <p className="text-ink-soft">{skillsWords.noGrants}</p>;
  return (
    <ul className="space-y-2.5">
      {grants.map(({ grant, on, says }) => (
        <li key={grant} className={TONES[as]}>
          <p>
            {MARKS[as] !== '' && (
              <>
                <span aria-hidden className="mr-1.5 font-mono font-medium">
                  {MARKS[as]}
                </span>
                <span className="sr-only">{skillsWords.diff[as]}: </span>
              </>
            )}
            {says} <code className="text-[0.8125rem] text-ink-faint">{grant}</code>
          </p>
          {on.length > 0 && (
            <ul className="mt-1 flex flex-wrap gap-1.5">
              {on.map((name) => (
                <li key={name} className="rounded bg-sunken px-2 py-0.5 font-mono text-[0.8125rem] wrap-anywhere">
                  {name}
                </li>
              ))}
            </ul>
          )}
        </li>
      ))}
    </ul>
  );
}
