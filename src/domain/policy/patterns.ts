/**
 * Resources in one canonical form, and patterns over them. A wildcard stands only where a boundary is, so that no pattern
 * covers what merely begins alike:
 *
 *     *                   everything
 *     example.com:443     this and nothing else
 *     example.com:*       whatever follows the colon (any port; any chat of a channel)
 *     *.example.com:443   a host below that domain, not the domain itself
 *     /notes/**           that folder and all below it
 */

/** `host:port` of an address: lower case, punycode, no dot at its end, the port always said. Null when it is no web address. */
export function hostResource(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return null;
  return `${hostname.replace(/\.$/, '')}:${port || (protocol === 'https:' ? '443' : '80')}`;
}

/** A channel's own recipients, the owner's, are `name`; any other chat is `name:chat`. */
export function channelResource(channel: string | undefined, to: string | undefined): string {
  const name = (channel ?? 'default').toLowerCase();
  return to === undefined ? name : `${name}:${to.trim()}`;
}

/** What a person typed, as the resource that such a capability would ask about. */
export function typedResource(capability: string, text: string): string {
  const typed = text.trim();
  if (typed === '*' || typed.startsWith('/')) return canonicalPattern(typed) ?? typed;
  const isBare = capability.startsWith('net:') && !/^https?:\/\//i.test(typed);
  const web = hostResource(isBare ? `https://${typed}` : typed);
  return web ?? canonicalPattern(typed) ?? typed;
}

/** The pattern as it is stored, or null when a wildcard stands where none may. */
export function canonicalPattern(text: string): string | null {
  const pattern = text.trim().normalize('NFC');
  if (pattern === '' || /[\s\0]/.test(pattern)) return null;
  if (pattern === '*') return pattern;
  if (pattern.startsWith('/')) return canonicalPath(pattern);
  if (/^https?:\/\//i.test(pattern)) {
    // a path would be dropped, and the pattern be wider than it looks
    const bare = URL.canParse(pattern) && new URL(pattern).href === `${new URL(pattern).origin}/` && !pattern.includes('*');
    return bare ? hostResource(pattern) : null;
  }
  const [, below = '', head = '', , tail] = /^(\*\.)?(\[[^\]]*\]|.*?)(:([^:]*))?$/s.exec(pattern)!;
  if (head === '' || head.includes('*') || (tail?.includes('*') && tail !== '*')) return null;
  const isHost = below !== '' || head.startsWith('[') || (head.includes('.') && (tail === undefined || /^(?:\*|\d{1,5})$/.test(tail)));
  if (!isHost) return tail === undefined ? head.toLowerCase() : `${head.toLowerCase()}:${tail}`;
  if (/[/@?#\\]/.test(head)) return null;
  const host = hostResource(`http://${head}`);
  // a host without a port means every port
  return host === null ? null : `${below}${host.replace(/:80$/, '')}:${tail ?? '*'}`;
}

function canonicalPath(pattern: string): string | null {
  const all = pattern.endsWith('/**');
  const parts = (all ? pattern.slice(0, -3) : pattern).split('/').filter((part) => part !== '' && part !== '.');
  if (parts.some((part) => part === '..' || part.includes('*'))) return null;
  return `/${parts.join('/')}${all ? (parts.length > 0 ? '/**' : '**') : ''}`;
}

/** What a canonical pattern covers. */
export function resourceMatcher(pattern: string): (resource: string) => boolean {
  if (pattern === '*') return () => true;
  if (pattern.endsWith('/**')) {
    const folder = pattern.slice(0, -3);
    return (resource) => resource === folder || resource.startsWith(`${folder}/`);
  }
  if (pattern.startsWith('*.')) {
    const below = pattern.slice(1);
    if (!below.endsWith(':*')) return (resource) => resource.length > below.length && resource.endsWith(below);
    const domain = below.slice(0, -2);
    return (resource) => {
      const colon = resource.lastIndexOf(':');
      return colon > domain.length && resource.endsWith(domain, colon);
    };
  }
  if (pattern.endsWith(':*')) {
    const head = pattern.slice(0, -1);
    return (resource) => resource.startsWith(head) && resource.length > head.length;
  }
  return (resource) => resource === pattern;
}

/**
 * What a pattern of a principal or a capability covers: itself, all of its kind (`channel:7:*` covers `channel:7:42`, `net:*` covers
 * `net:fetch`), or everything.
 */
export function nameMatcher(pattern: string): (name: string) => boolean {
  if (pattern === '*') return () => true;
  if (!pattern.endsWith(':*')) return (name) => name === pattern;
  const head = pattern.slice(0, -1);
  return (name) => name.length > head.length && name.startsWith(head);
}

/** How near a pattern is to one single case: exact parts first, then how much it spells out. */
export function closeness(principal: string, capability: string, resource: string): number {
  const parts = [principal, capability, resource];
  const exact = parts.filter((part) => !part.includes('*')).length;
  return (
    exact * 10_000 +
    Math.min(
      9_999,
      parts.reduce((sum, part) => sum + part.replaceAll('*', '').length, 0),
    )
  );
}
