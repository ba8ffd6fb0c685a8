import type { Manifest, SkillGrant } from './manifest.ts';
import { OWN_ADDRESSES } from './manifest.ts';
import type { GrantLine } from './shapes.ts';

const SAYS: Readonly<Record<SkillGrant, string>> = {
  'net:fetch': 'Read from these hosts; what it was given can go there in an address',
  'net:post': 'Send to these hosts and change things there',
  'llm:call': 'Ask your models, at your cost, within the run’s budget',
  'memory:read': 'Search your memories and documents',
  'memory:write': 'Remember things as knowledge',
  'channel:send': 'Send messages to you on your channels',
  'skill:call': 'Run these other skills, with no more rights than it has itself',
  'settings:read': 'Read these settings',
};

/** What a manifest asks for, in words, in one fixed order. */
export function grantLines(manifest: Pick<Manifest, 'grants' | 'hosts' | 'skills' | 'settings'>): GrantLine[] {
  return (Object.keys(SAYS) as SkillGrant[])
    .filter((grant) => manifest.grants.includes(grant))
    .map((grant) => ({ grant, on: namedFor(grant, manifest), says: SAYS[grant] }));
}

/** How the grants of two versions differ; a grant on other hosts is split into what came, went and stayed. */
export function grantDiff(
  before: readonly GrantLine[],
  after: readonly GrantLine[],
): { added: GrantLine[]; removed: GrantLine[]; kept: GrantLine[] } {
  return { added: beyond(after, before), removed: beyond(before, after), kept: within(after, before) };
}

function beyond(lines: readonly GrantLine[], others: readonly GrantLine[]): GrantLine[] {
  return lines.flatMap((line) => {
    const other = others.find(({ grant }) => grant === line.grant);
    if (!other) return [line];
    const on = line.on.filter((it) => !other.on.includes(it));
    return on.length > 0 ? [{ ...line, on }] : [];
  });
}

function within(lines: readonly GrantLine[], others: readonly GrantLine[]): GrantLine[] {
  return lines.flatMap((line) => {
    const other = others.find(({ grant }) => grant === line.grant);
    if (!other) return [];
    const on = line.on.filter((it) => other.on.includes(it));
    return line.on.length === 0 || on.length > 0 ? [{ ...line, on }] : [];
  });
}

function namedFor(grant: SkillGrant, { hosts, skills, settings }: Pick<Manifest, 'hosts' | 'skills' | 'settings'>): string[] {
  if (grant === 'net:fetch' || grant === 'net:post')
    return hosts.map((host) => (host === OWN_ADDRESSES ? 'addresses you write into its steps' : host)).toSorted();
  if (grant === 'skill:call') return skills.toSorted();
  return grant === 'settings:read' ? settings.toSorted() : [];
}
