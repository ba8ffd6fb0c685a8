import { AppError } from '#core/errors';
import type { Json } from '#core/json';
import { placeholderIn } from './placeholders.ts';
import type { Redactor } from './redactor.ts';

/** Why a value may not be written, and where in it. */
export interface Objection {
  /** As `steps[2].config.key`; empty for the value itself. */
  readonly field: string;
  readonly code: 'vault.placeholder' | 'vault.secret_in_text';
  readonly message: string;
}

/**
 * Looks at what is written by hand: definitions, settings, configurations. They are kept in plain text, so a secret in them is refused with
 * the offer to keep it in the vault, and what stands for one that was taken out is refused, for it would take the place of the real one.
 */
export interface WriteGuard {
  /** The first objection to a value, or null. */
  objection(value: Json): Objection | null;
  /** Throws `vault.placeholder` or `vault.secret_in_text`; `what` names the value. */
  refuse(value: Json, what: string): void;
}

export function createWriteGuard(redactor: Pick<Redactor, 'inField'>): WriteGuard {
  function objectionTo(text: string, name: string, field: string): Objection | null {
    const placeholder = placeholderIn(text);
    if (placeholder !== null) {
      const message = `${placeholder} stands for a secret that was taken out, it is not the secret: write @secret:NAME`;
      return { field, code: 'vault.placeholder', message };
    }
    const [hit] = redactor.inField(name, text);
    if (!hit) return null;
    const message = hit.known
      ? `holds the secret "${hit.provider}" in plain text: write @secret:${hit.provider}`
      : `holds what looks like a secret (${hit.provider}), and this is kept in plain text. Store it with "castellan secret set NAME" and write @secret:NAME`;
    return { field, code: 'vault.secret_in_text', message };
  }

  function walk(value: Json, name: string, field: string): Objection | null {
    if (typeof value === 'string') return objectionTo(value, name, field);
    if (value === null || typeof value !== 'object') return null;
    for (const [key, inner] of Object.entries(value)) {
      const isList = Array.isArray(value);
      const here = isList ? `${field}[${key}]` : field === '' ? key : `${field}.${key}`;
      // a name that is a secret is not named
      const found = (isList ? null : objectionTo(key, '', field)) ?? walk(inner as Json, isList ? name : key, here);
      if (found) return found;
    }
    return null;
  }

  const objection = (value: Json): Objection | null => walk(value, '', '');
  return {
    objection,
    refuse(value, what) {
      const found = objection(value);
      if (!found) return;
      const field = [what, found.field].filter(Boolean).join('.');
      if (found.code === 'vault.placeholder') throw new AppError('invalid', 'vault.placeholder', `${field}: ${found.message}`, { field });
      throw new AppError('invalid', 'vault.secret_in_text', `${field}: ${found.message}`, { field });
    },
  };
}
