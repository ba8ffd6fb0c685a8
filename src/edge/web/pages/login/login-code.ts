/** Takes the code of a login link (`#login=CODE`) and removes it from the address and the history at once. */
export function takeLoginCode(
  location: Pick<Location, 'hash' | 'pathname' | 'search'>,
  history: Pick<History, 'replaceState'>,
): string | null {
  const code = /^#login=(.+)$/.exec(location.hash)?.[1];
  if (code === undefined) return null;
  history.replaceState(null, '', location.pathname + location.search);
  return decodeURIComponent(code);
}
