import { dirname, resolve } from 'node:path';
import { placeOf, type Place } from './place.ts';

/** One import, as written. */
export interface Import {
  /** Absolute name of the importing file. */
  readonly from: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** Packages that have one home, so that what we rely on stays in one place. Everything else is open to the domain. */
const HOMES: readonly { readonly library: RegExp; readonly home: RegExp; readonly where: string; readonly types?: boolean }[] = [
  {
    library: /^kysely$/,
    home: /^src\/core\/db\/|\/(queries|tables)(\/|-|\.)/,
    where: 'src/core/db, and the queries.ts and tables.ts of a module',
    types: true,
  },
  { library: /^(node:sqlite|sqlite-vec|pg|pg-boss)$/, home: /^src\/core\/db\//, where: 'src/core/db' },
  { library: /^undici$/, home: /^src\/core\/fetch|^src\/domain\/llm\/wire\//, where: 'src/core/fetch (guarded) and src/domain/llm/wire' },
  { library: /^(@peculiar\/x509|pkijs|reflect-metadata)$/, home: /^src\/domain\/doors\//, where: 'src/domain/doors' },
  { library: /^robots-parser$/, home: /^src\/core\/fetch/, where: 'src/core/fetch' },
  { library: /^(fastify|@fastify\/.+|prom-client)$/, home: /^src\/edge\/http\//, where: 'src/edge/http' },
  {
    library: /^@modelcontextprotocol\//,
    home: /^src\/edge\/mcp\/|^src\/domain\/skills\/|^src\/domain\/agents\//,
    where: 'src/edge/mcp, skills and agents',
  },
  { library: /^commander$/, home: /^src\/edge\/cli\/|^src\/castellan\.ts$/, where: 'src/edge/cli' },
  { library: /^@earendil-works\/pi-tui$/, home: /^src\/edge\/cli\/|\/terminal\//, where: 'src/edge/cli and the terminal channel' },
  { library: /^(@ai-sdk\/.+|@pydantic\/genai-prices)$/, home: /^src\/domain\/llm\//, where: 'src/domain/llm' },
  { library: /^(otpauth|uqr|@simplewebauthn\/server)$/, home: /^src\/domain\/owner\//, where: 'src/domain/owner' },
  { library: /^@agentclientprotocol\//, home: /^src\/domain\/agents\/acp\//, where: 'src/domain/agents/acp' },
  { library: /^grammy$/, home: /^src\/domain\/channels\/telegram\//, where: 'src/domain/channels/telegram' },
];

/** The modules from the lowest up, as in ARCHITECTURE.md; those of one line may know each other. A higher one is reached through a port. */
const ORDER: readonly (readonly string[])[] = [
  ['content', 'feeds', 'audit', 'settings', 'vault', 'policy', 'owner', 'doors'],
  ['runs'],
  ['llm'],
  ['gateway'],
  ['memory'],
  ['skills'],
  ['workflows'],
  ['schedules'],
  ['agents'],
  ['channels'],
  ['notifications'],
];

const BROWSER = /^(react|react-dom|@simplewebauthn\/browser|@tanstack\/.+|@base-ui\/.+|lucide-react|streamdown|tailwindcss|zod)(\/|$)/;
const BROWSER_BUILD = /^(vite|@vitejs\/.+|@tailwindcss\/.+)$|^node:/;
/** The files of core that run in a browser: data and pure functions. */
const BROWSER_CORE = /^#core\/(client|endpoint|errors|json)$/;
const CONTRACT = /^#[a-z]+\/contract$/;
const TEST_ONLY = /^(node:test(\/.+)?|node:assert(\/.+)?|fast-check|playwright-core|@electric-sql\/.+)$/;

/** Why an import is against the direction of the rings, or null when it may be. */
export function refusal({ from, specifier, typeOnly }: Import): string | null {
  const here = placeOf(from);
  if (here.ring === 'free' || here.ring === 'outside') return null;
  return testRefusal(here, from, specifier) ?? homeRefusal(here, specifier, typeOnly) ?? ringRefusal(here, from, specifier, typeOnly);
}

function testRefusal(here: Place, from: string, specifier: string): string | null {
  if (here.forTests) return null;
  const isHelp =
    TEST_ONLY.test(specifier) || /^#.*\/testing$/.test(specifier) || (isRelative(specifier) && placeOf(target(from, specifier)).forTests);
  return isHelp ? `Production code does not import ${specifier}: it is for tests.` : null;
}

function homeRefusal(here: Place, specifier: string, typeOnly: boolean): string | null {
  if (here.forTests) return null;
  const rule = HOMES.find(({ library }) => library.test(specifier));
  if (!rule || rule.home.test(here.path) || (rule.types && typeOnly)) return null;
  return `${specifier} has one home: ${rule.where}. Ask that for what you need.`;
}

function ringRefusal(here: Place, from: string, specifier: string, typeOnly: boolean): string | null {
  if (isRelative(specifier)) return relativeRefusal(here, placeOf(target(from, specifier)));
  const isCore = specifier.startsWith('#core/');
  const isOwnName = specifier.startsWith('#');
  switch (here.ring) {
    case 'core':
      if (isCore) return 'Inside core, import by relative path.';
      if (isOwnName) return `core is the bottom ring: it knows nothing of ${specifier}.`;
      if (here.forTests || specifier.startsWith('node:') || specifier === 'zod' || HOMES.some(({ library }) => library.test(specifier)))
        return null;
      return `core imports only node:, zod and what has its home there, not ${specifier}.`;
    case 'domain':
      if (here.forTests) return null;
      if (specifier === `#${here.part}` || specifier === `#${here.part}/contract`)
        return 'Inside your own module, import by relative path.';
      if (levelOf(nameOf(specifier)) > levelOf(here.part))
        return `${here.part} stands below ${nameOf(specifier)}: take what it does as a function in your dependencies.`;
      return isContract(here) && !typeOnly ? contractRefusal(specifier) : null;
    case 'edge':
      return here.part === 'web' && !here.forTests ? browserRefusal(here, specifier) : null;
    case 'launcher':
      return isOwnName && !isCore ? 'The launcher stands outside of what it launches: it imports only core.' : null;
    case 'sdk':
      return specifier.startsWith('node:') ? null : 'What an installed skill imports depends on nothing.';
    default:
      return null;
  }
}

function relativeRefusal(here: Place, there: Place): string | null {
  if (here.ring === 'app') return null;
  if (there.ring === 'app') return 'Only the entry points import app.ts and main.ts: take what you need as an argument.';
  if (there.ring !== here.ring) return `${here.ring} enters ${there.ring} by its #name, and only where the rings point inward.`;
  if (there.part !== here.part)
    return here.ring === 'edge'
      ? 'An edge does not know another edge.'
      : `Stay inside your folder; enter another module by its name: #${there.part}.`;
  if (there.adapter === '' || there.adapter === here.adapter) return null;
  if (here.adapter !== '') return 'An adapter does not know its siblings: move what they share up to the module.';
  const isList = /\/(kinds|index)\.ts$/.test(here.path);
  return isList || here.forTests ? null : 'A module knows its adapters only through kinds.ts.';
}

/** A contract is read by the browser too, so all it pulls in must run there. */
function contractRefusal(specifier: string): string | null {
  if (specifier === 'zod' || CONTRACT.test(specifier) || BROWSER_CORE.test(specifier)) return null;
  return `A contract is read by the browser too: import ${specifier} as a type, or not at all.`;
}

function browserRefusal(here: Place, specifier: string): string | null {
  if (BROWSER.test(specifier) || CONTRACT.test(specifier) || BROWSER_CORE.test(specifier)) return null;
  if (here.path.endsWith('.config.ts') && BROWSER_BUILD.test(specifier)) return null;
  return `The web interface imports React and friends, #module/contract and its own files, not ${specifier}.`;
}

function nameOf(specifier: string): string {
  return /^#([a-z]+)/.exec(specifier)?.[1] ?? '';
}

/** 0 is the lowest; a module that the order does not name is judged by `import/no-cycle` alone. */
function levelOf(module: string): number {
  const level = ORDER.findIndex((line) => line.includes(module));
  return level === -1 ? NaN : level;
}

function isContract(place: Place): boolean {
  return place.path === `src/domain/${place.part}/contract.ts`;
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('./') || specifier.startsWith('../');
}

function target(from: string, specifier: string): string {
  return resolve(dirname(from), specifier);
}
