import { policyWords } from '../../strings/policy.ts';
import { Field } from '../../ui/field.tsx';
import { PrincipalField } from './principal-field.tsx';

/** Who does what on what, as it is typed. */
export interface PolicyCase {
  readonly principal: string;
  readonly capability: string;
  readonly resource: string;
}

export const noCase: PolicyCase = { principal: '', capability: '', resource: '' };

/** As policy takes it; no resource is every one. */
export function trimmedCase({ principal, capability, resource }: PolicyCase) {
  return {
    principal: principal.trim(),
    capability: capability.trim(),
    ...(resource.trim() !== '' && { resource: resource.trim() }),
  };
}

interface CaseFieldsProps {
  readonly value: PolicyCase;
  readonly onChange: (value: PolicyCase) => void;
  /** Patterns are meant, not one case. */
  readonly isPattern?: boolean;
}

/** The three fields of a grant, or of a case to try. */
export function CaseFields({ value, onChange, isPattern = false }: CaseFieldsProps) {
  const plain = { autoCapitalize: 'none', spellCheck: false } as const;
  return (
    <>
      <PrincipalField value={value.principal} onChange={(principal) => onChange({ ...value, principal })} isPattern={isPattern} />
      <Field
        {...plain}
        label={policyWords.capability}
        hint={policyWords.capabilityHint}
        required
        value={value.capability}
        onChange={({ target }) => onChange({ ...value, capability: target.value })}
      />
      <Field
        {...plain}
        label={policyWords.resource}
        hint={policyWords.resourceHint}
        value={value.resource}
        onChange={({ target }) => onChange({ ...value, resource: target.value })}
      />
    </>
  );
}
