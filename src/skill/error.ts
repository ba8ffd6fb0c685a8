import type { Json, WireError } from './protocol.ts';

/** Why Castellan refused a call, or why a skill gave up. Thrown from `run`, its code and message are shown to the owner. */
export class SkillError extends Error {
  override readonly name = 'SkillError';
  /** Stable, e.g. `skill.host_not_declared`; handle refusals by it. */
  readonly code: string;
  /** invalid, forbidden, not_found, conflict, limited or unavailable. */
  readonly kind: string;
  readonly details: { readonly [key: string]: Json };

  constructor(code: string, message: string, details: { readonly [key: string]: Json } = {}, kind = 'unavailable') {
    super(message);
    this.code = code;
    this.kind = kind;
    this.details = details;
  }

  static from({ kind, code, message, details }: WireError): SkillError {
    return new SkillError(code, message, details, kind);
  }
}
