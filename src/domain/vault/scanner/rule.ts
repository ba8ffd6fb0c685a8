/** What every rule says: whose secret it is, where its form is written down, and what a match must pass. */
export interface RuleBase {
  /** Kebab-case, as in `[redacted:github-pat]`. */
  readonly provider: string;
  /** The vendor's page on the form, or the public rule set that records it where the vendor publishes none. */
  readonly source: string;
  /** Fewest bits of entropy a character. */
  readonly entropy?: number;
  /** False for values that are all letters: they need no digit. */
  readonly drawn?: false;
  /** True for what names an account but opens nothing: it is reported, not taken out. */
  readonly identifier?: true;
}

/** A token known by a text in it. Shapes as in shape.ts; the first text of three characters or more is what is looked for. */
export interface TokenRule extends RuleBase {
  readonly shape: string | readonly string[];
  /** The texts of the shape in exactly this case. */
  readonly cased?: true;
  /** May follow a letter or digit. */
  readonly anywhere?: true;
  /** May go on with any character. */
  readonly open?: true;
  /** Examples and crosses count too. */
  readonly examples?: true;
  /** What often stands close after it and is the other half of the pair. */
  readonly companion?: RegExp;
}

/** A value known by the name of its vendor before it, as in `datadog_api_key = …`. */
export interface NamedRule extends RuleBase {
  readonly names: readonly string[];
  readonly shape: string | readonly string[];
  /** The name in one case: `okta`, `Okta` or `OKTA`. */
  readonly cased?: true;
  /** The value may stand anywhere in the line after the name. */
  readonly loose?: true;
}

/** The public record of forms that no vendor's page states (MIT). */
export const GITLEAKS = 'https://github.com/gitleaks/gitleaks/tree/master/cmd/generate/config/rules';
