import { BlockList, isIP, isIPv6 } from 'node:net';

/** `public` is the open internet; `private` only an owner may point at; `never` is for nobody. */
export type Reach = 'public' | 'private' | 'never';

/** Says how far an IP address reaches. Anything that is not clearly public is not public. */
export type Reacher = (ip: string) => Reach;

/** Ranges that are not globally reachable: IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates). */
const PRIVATE_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
];
/** All but 2000::/3, and inside it the protocol assignments and the documentation ranges. */
const PRIVATE_6 = ['::/3', '4000::/2', '8000::/1', '2001::/23', '2001:db8::/32', '3fff::/20'];

/**
 * What no owner means: cloud metadata services (AWS, Azure, Oracle, Alibaba, Google), multicast, broadcast, and the
 * translations that smuggle an IPv4 address in an IPv6 one (NAT64, Teredo, 6to4).
 */
const NEVER_4 = [
  '169.254.169.254/32',
  '169.254.170.2/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  '100.100.100.200/32',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
const NEVER_6 = ['fd00:ec2::254/128', 'fd20:ce::254/128', 'ff00::/8', '64:ff9b::/96', '64:ff9b:1::/48', '2001::/32', '2002::/16'];

/** One list per family: `BlockList` compares across families, and `::/3` would cover all of IPv4. */
export function createReacher(): Reacher {
  const private4 = listOf(PRIVATE_4, 'ipv4');
  const private6 = listOf(PRIVATE_6, 'ipv6');
  const never4 = listOf(NEVER_4, 'ipv4');
  const never6 = listOf(NEVER_6, 'ipv6');
  return (ip) => {
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(normalise(ip))?.[1];
    if (mapped) return never4.check(mapped) ? 'never' : 'private';
    if (isIPv6(ip)) return never6.check(ip, 'ipv6') ? 'never' : private6.check(ip, 'ipv6') ? 'private' : 'public';
    return never4.check(ip) ? 'never' : private4.check(ip) ? 'private' : 'public';
  };
}

/** Names that mean this machine or this network (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`), whatever they resolve to. */
export function isPrivateName(host: string): boolean {
  return /(^|\.)(localhost|local|internal|home\.arpa)$/i.test(host.replace(/\.+$/, ''));
}

/** The address inside a URL's host name, or null when it is a name. */
export function literalAddress(hostname: string): string | null {
  const bare = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return isIP(bare) ? bare : null;
}

/** `::ffff:7f00:1` and `::ffff:127.0.0.1` are one address; the second form comes back. */
function normalise(ip: string): string {
  const hex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(ip);
  if (!hex) return ip;
  const value = Number.parseInt(hex[1]!, 16) * 65_536 + Number.parseInt(hex[2]!, 16);
  return `::ffff:${[24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')}`;
}

function listOf(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [net = '', prefix] = range.split('/');
    list.addSubnet(net, Number(prefix), family);
  }
  return list;
}
