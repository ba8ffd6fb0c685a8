/** Parameters that say where a click came from and change nothing of the page. */
const TRACKING =
  /^(utm_\w+|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|li_fat_id|igshid|igsh|mc_cid|mc_eid|_hsenc|_hsmi|__hs\w+|hsctatracking|mkt_tok|vero_id|vero_conv|oly_(anon|enc)_id|rb_clickid|s_cid|wickedid|__twitter_impression|ref_src|ref_url|cmpid|at_(medium|campaign|custom\d|link\w+|format|bbc_team)|ns_(campaign|mchannel|source|linkname|fee)|xtor|spm|scid|guccounter|guce_\w+|soc_src|soc_trk|_ga|_gl|ncid|sr_share|smid|smtyp|wt_mc|wt\.mc\w*|ito|ocid|mbid|sfnsn|feature=emb\w*)$/i;

/**
 * The address under which two links to one page compare equal: no tracking parameters, fragment, default port, user
 * name or empty query. Order and spelling of what matters stay. Text that is no http(s) address comes back trimmed.
 */
export function canonicalUrl(text: string): string {
  const url = URL.parse(text.trim());
  if (!url || !isWeb(url)) return text.trim();
  // An app's own address after `#!` or `#/` is the page, not a place in it.
  if (!/^#[!/]/.test(url.hash)) url.hash = '';
  url.username = '';
  url.password = '';
  const kept = url.search
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '' && !TRACKING.test(pair.split('=', 1)[0]!));
  url.search = kept.length > 0 ? `?${kept.join('&')}` : ''; // the setter takes one leading "?" for itself
  return url.href;
}

/** An absolute http(s) address, or null. Bases are tried from the nearest; each may itself be relative to the next. */
export function resolveUrl(text: string | null, ...bases: readonly (string | null)[]): string | null {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') return null;
  const absolute = URL.parse(trimmed);
  if (absolute) return isWeb(absolute) ? absolute.href : null;
  const base = bases.reduceRight<URL | null>((outer, each) => (each ? URL.parse(each, outer?.href) : null) ?? outer, null);
  const url = base && URL.parse(trimmed, base.href);
  return url && isWeb(url) ? url.href : null;
}

function isWeb(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:';
}
