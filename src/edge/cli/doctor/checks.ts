import type { Config } from '#core/config';
import type { Cli } from '../context.ts';

/** What one look found: `warn` works, but not as well as it could; `fail` does not work. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  /** What was seen. */
  readonly says: string;
  /** What to do about it; null where there is nothing to do. */
  readonly mend: string | null;
  /** `--fix` did it just now. */
  readonly fixed: boolean;
}

/** What a check may look at. */
export interface Patient {
  readonly io: Cli;
  /** Null when the configuration cannot be read; that is a finding of its own. */
  readonly config: Config | null;
  /** The process that holds the home, or null. */
  readonly pid: number | null;
  /** Mend what is safe to mend: permissions, files that a dead process left. */
  readonly fix: boolean;
}

/** Contract: finds and tells; throws only for a bug, which becomes a finding. */
export type Check = (patient: Patient) => Promise<readonly Finding[]>;

export function ok(check: string, says: string): Finding {
  return { check, status: 'ok', says, mend: null, fixed: false };
}

export function warn(check: string, says: string, mend: string | null = null): Finding {
  return { check, status: 'warn', says, mend, fixed: false };
}

export function fail(check: string, says: string, mend: string): Finding {
  return { check, status: 'fail', says, mend, fixed: false };
}

export function fixed(check: string, says: string): Finding {
  return { check, status: 'ok', says, mend: null, fixed: true };
}
