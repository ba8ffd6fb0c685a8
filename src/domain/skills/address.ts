import type { Json } from '#core/json';
import type { Runs, Way, WayStep } from '#runs';
import type { Skill, SkillRequest } from './contract.ts';

/**
 * Who made an address, and so whether it can carry out what was read. `own`: the owner wrote it. `found`: it stands word for word in
 * what came from outside, or in what started the run. `plain`: no model has spoken on the way here. `made`: a model may have written it.
 */
export type Maker = 'own' | 'found' | 'plain' | 'made';

export interface AddressDeps {
  readonly runs: Pick<Runs, 'wayTo'>;
  /** Whether a skill of this name asks a model. */
  readonly asksModel: (skill: string) => boolean;
}

/** By choosing among addresses a model can spell something: of one host, a turn opens so many that it found. */
const FOUND_PER_HOST = 5;
/** Fields in which a source names what it links to. */
const LINKS: ReadonlySet<string> = new Set(['url', 'link', 'href']);

/** Judges the addresses of one attempt at one skill. `hasAsked` says whether the skill itself has asked a model by now. */
export function createMakers({ runs, asksModel }: AddressDeps, skill: Skill, request: SkillRequest, hasAsked: () => boolean) {
  const own = new Set(
    [...request.resources.map(({ url }) => url), ...request.ownAddresses, ...(request.said ?? [])].flatMap((url) => plainUrl(url) ?? []),
  );
  const callers = request.onBehalf.chain.filter((link) => link.startsWith('skill:')).map((link) => link.slice('skill:'.length));
  let ways: Promise<Way[]> | undefined;
  const waysHere = (): Promise<Way[]> => (ways ??= runs.wayTo(request.run.id, request.step));

  return async (address: string): Promise<Maker> => {
    const url = plainUrl(address);
    if (url === null || own.has(url)) return 'own';
    const above = await waysHere();
    const isSpoken = (way: Way): boolean => way.kind === 'turn' || way.steps.some(({ skill: name }) => name !== null && asksModel(name));
    if (!skill.foreign && !hasAsked() && !callers.some(asksModel) && !above.some(isSpoken)) return 'plain';
    for (const way of above) if (await isFound(url, way)) return 'found';
    return 'made';
  };
}

async function isFound(url: string, { kind, input, steps }: Way): Promise<boolean> {
  const sources = steps.filter(isSource);
  const host = new URL(url).host;
  const opened = sources.filter(({ taken }) => taken.some(({ from }) => URL.parse(from)?.host === host));
  if (kind === 'turn' && opened.length >= FOUND_PER_HOST) return false;
  if (kind !== 'turn' && isLinked(url, input, '')) return true;
  for (const { output } of sources) {
    const value = await output();
    if (kind === 'turn' ? urlsIn(typeof value === 'string' ? value : JSON.stringify(value)).has(url) : isLinked(url, value, ''))
      return true;
  }
  return false;
}

/** A step of the program's own that read from outside; what an installed skill hands on is its own making. */
function isSource({ taken }: WayStep): boolean {
  return (
    taken.some(({ label, from }) => label === 'untrusted' && /^https?:/.test(from)) &&
    !taken.some(({ from }) => from.startsWith('installed skill '))
  );
}

function isLinked(url: string, value: Json | null, key: string): boolean {
  if (typeof value === 'string') return (key === '' || LINKS.has(key)) && plainUrl(value) === url;
  if (Array.isArray(value)) return value.some((each: Json) => isLinked(url, each, key));
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(value).some(([name, each]) => isLinked(url, each as Json, name));
}

/** The web addresses in a text, each as a whole. */
export function urlsIn(text: string): ReadonlySet<string> {
  const found = [...text.matchAll(/https?:\/\/[^\s"'<>\\()[\]{}|^`]+/gi)].flatMap(
    ([match]) => plainUrl(match.replace(/[.,;:!?…]+$/, '')) ?? [],
  );
  return new Set(found);
}

/** As it is asked for: without the place in the page. */
function plainUrl(address: string | undefined): string | null {
  const url = address === undefined ? null : URL.parse(address);
  if (url === null) return null;
  url.hash = '';
  return url.href;
}
