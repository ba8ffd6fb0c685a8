import type { Hit } from './scanner/anchor.ts';

/** What stands for a secret that was taken out: `[secret:name]` for the vault's own, `[redacted:provider]` for one known by its form. */
const PLACEHOLDER = /\[(?:secret(?::[A-Za-z0-9][A-Za-z0-9._-]*)?|redacted(?::[a-z0-9-]+)?)\]/;

export function placeholderOf({ known, provider }: Pick<Hit, 'known' | 'provider'>): string {
  return known ? `[secret:${provider}]` : `[redacted:${provider}]`;
}

/** The placeholder in a text, or null. */
export function placeholderIn(text: string): string | null {
  return text.includes('[') ? (PLACEHOLDER.exec(text)?.[0] ?? null) : null;
}
