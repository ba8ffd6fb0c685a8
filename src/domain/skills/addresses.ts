import type { Json } from '#core/json';

/** Web addresses written out in a configuration: the owner's own words, unlike what a template makes of content. */
export function addressesIn(value: Json): string[] {
  if (typeof value === 'string') return /^https?:\/\//i.test(value) && !value.includes('{{') && !value.includes('{%') ? [value] : [];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap((each) => addressesIn(each as Json)) : [];
}
