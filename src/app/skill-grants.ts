import type { Policy } from '#policy';
import { OWN_ADDRESSES, type InstalledSkillsDeps, type Manifest } from '#skills';

/** What the owner approved at the install of a skill, as grants of `skill:<name>`, in place of those of its former version. */
export function skillGrants(policy: Pick<Policy, 'list' | 'grant' | 'revoke'>): InstalledSkillsDeps['grants'] {
  return async (skill) => {
    const principal = `skill:${skill}`;
    const { items } = await policy.list({ principal, limit: 500 });
    const before = items.filter((it) => it.origin === 'install' && it.principal === principal);
    return async (tx, manifest, by) => {
      for (const { id } of before) await policy.revoke(id, by, tx);
      if (manifest === null) return;
      for (const grant of grantsOf(manifest)) await policy.grant({ principal, effect: 'allow', ...grant }, { by, origin: 'install' }, tx);
    };
  };
}

type Asked = Pick<Parameters<Policy['grant']>[0], 'capability' | 'resource' | 'conditions' | 'reason'>;

/** One grant for each host, skill or setting that is named. What such a skill does is done with untrusted content at hand, so that is allowed to it. */
function grantsOf({ grants, hosts, skills, settings, version }: Manifest): Asked[] {
  const reason = `Approved at the install of version ${version}`;
  const labels: ('owner' | 'untrusted' | 'private')[] = ['owner', 'untrusted'];
  return grants.flatMap((capability): Asked[] => {
    if (capability === 'net:fetch' || capability === 'net:post')
      return hosts.map((host) =>
        host === OWN_ADDRESSES
          ? { capability, resource: '*', conditions: { named: true, labels: [...labels, 'private'] }, reason }
          : { capability, resource: host.includes(':') ? host : `${host}:443`, conditions: { labels }, reason },
      );
    if (capability === 'skill:call') return skills.map((resource) => ({ capability, resource, reason }));
    if (capability === 'settings:read') return settings.map((key) => ({ capability, resource: `setting:${key}`, reason }));
    return [{ capability, resource: '*', reason, ...(capability === 'channel:send' && { conditions: { labels } }) }];
  });
}
