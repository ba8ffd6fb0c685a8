import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '#core/errors';
import type { Audit } from '#audit';
import { acpBackend, findProgram, recipes, type AcpDeps, type Recipe } from './kinds.ts';
import type { Backend } from './backend.ts';
import type { BackendInfo } from './contract.ts';

const INSTALL_MS = 15 * 60_000;

export interface CliAgentsDeps extends AcpDeps {
  readonly audit: Pick<Audit, 'record'>;
}

/** The agent CLIs of this machine: where they are, and turns by them. */
export interface CliAgents {
  readonly backends: readonly Backend[];
  list(): Promise<BackendInfo[]>;
  /** Brings one from the package registry into the home. Its install scripts are not run. Throws `agent.install_failed`. */
  install(id: string, by: string): Promise<BackendInfo>;
}

export function createCliAgents(deps: CliAgentsDeps): CliAgents {
  const { audit, places, explicit } = deps;

  async function describe(recipe: Recipe): Promise<BackendInfo> {
    const [found, bubblewrap] = await Promise.all([findProgram(recipe.programs, explicit()[recipe.id], places), deps.bubblewrap()]);
    return {
      id: recipe.id,
      title: recipe.title,
      path: found?.path ?? null,
      from: found?.from ?? null,
      version: found ? await versionOf(found.path) : null,
      package: recipe.install[0]!,
      sandbox: bubblewrap !== null,
    };
  }

  return {
    backends: recipes.map((recipe) => acpBackend(recipe, deps)),
    list: () => Promise.all(recipes.map(describe)),
    async install(id, by) {
      const recipe = recipes.find((it) => it.id === id);
      if (!recipe)
        throw new AppError(
          'not_found',
          'agent.unknown_backend',
          `There is no agent ${id}; there are ${recipes.map((it) => it.id).join(', ')}`,
        );
      await mkdir(places.agentsFolder, { recursive: true, mode: 0o700 });
      const args = ['install', '--prefix', places.agentsFolder, '--ignore-scripts', '--no-audit', '--no-fund', ...recipe.install];
      try {
        await promisify(execFile)('npm', args, {
          env: { PATH: places.path, HOME: places.agentsFolder },
          cwd: places.agentsFolder,
          timeout: INSTALL_MS,
          maxBuffer: 8 * 2 ** 20,
        });
      } catch (error) {
        const said = ((error as { stderr?: string }).stderr ?? '').trim().split('\n').slice(-3).join(' ');
        throw new AppError(
          'unavailable',
          'agent.install_failed',
          `npm could not install ${recipe.install[0]}: ${said || (error as Error).message}`,
          { package: recipe.install[0] },
          error,
        );
      }
      await audit.record({ actor: by, action: 'agent.install', resource: recipe.install[0]!, decision: 'allow', details: { backend: id } });
      return describe(recipe);
    },
  };
}

/** Of the package that a program belongs to. */
async function versionOf(path: string): Promise<string | null> {
  for (let folder = dirname(path), up = 0; up < 5; folder = dirname(folder), up += 1) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => null);
    const version = text === null ? null : ((JSON.parse(text) as { version?: unknown }).version ?? null);
    if (typeof version === 'string') return version;
  }
  return null;
}
