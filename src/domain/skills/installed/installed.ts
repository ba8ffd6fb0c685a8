import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Audit } from '#audit';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError, errorInfo } from '#core/errors';
import type { Service } from '#core/service';
import type { Catalogue } from '../catalogue.ts';
import type { InstalledRow } from '../tables.ts';
import { asSkill } from './as-skill.ts';
import { readSkillFolder, textOf, writeSkillFolder, type SkillFolder } from './folder.ts';
import { grantDiff, grantLines } from './grants.ts';
import { Manifest, MANIFEST_FILE, readManifest } from './manifest.ts';
import { allInstalled, findInstalled, putInstalled, setInstalledState } from './queries.ts';
import type { Sandbox } from './sandbox.ts';
import type { InstalledSkill, SkillPreview, WallState } from './shapes.ts';
import { warningsOf } from './warnings.ts';
import type { WallProbe } from './walls.ts';

declare module '#core/bus' {
  interface Events {
    /** An installed skill came, went, or is in another state. */
    'skill.changed': { readonly name: string };
  }
}

export interface InstalledSkillsDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'record'>;
  readonly catalogue: Catalogue;
  readonly sandbox: Sandbox;
  readonly walls: WallProbe;
  /** `skills` of the home. */
  readonly folder: string;
  readonly tell: (severity: 'warning' | 'critical', title: string, body: string) => void;
  /** What a skill was granted until now; the answer puts what its manifest asks for in that place, or with null nothing. */
  readonly grants: (skill: string) => Promise<(tx: Db, manifest: Manifest | null, by: string) => Promise<void>>;
  /** Names of the workflows with a step of this skill. */
  readonly usedBy: (skill: string) => Promise<readonly string[]>;
  readonly onError: (message: string, error: unknown) => void;
}

/** Skills of others: what is installed, and nothing else, runs. */
export interface InstalledSkills {
  /** Reads a folder and changes nothing. Throws `skill.bad_manifest`, `skill.bad_folder`, `skill.too_large`, `skill.no_folder`. */
  preview(folder: string): Promise<SkillPreview>;
  /** Throws `skill.changed` when the folder is not the one of that checksum any more, `skill.installed` for a name that is taken. */
  install(folder: string, checksum: string, by: string): Promise<InstalledSkill>;
  /** Throws `skill.other_name`, `skill.same_version` and what `install` throws. */
  update(name: string, folder: string, checksum: string, by: string): Promise<InstalledSkill>;
  remove(name: string, by: string): Promise<{ name: string; usedBy: string[] }>;
  /** Throws `skill.tampered` when its files are not those of the install. */
  enable(name: string, by: string): Promise<InstalledSkill>;
  disable(name: string, by: string): Promise<InstalledSkill>;
  verify(name?: string): Promise<{ name: string; version: string; ok: boolean; problem: string | null }[]>;
  get(name: string): Promise<InstalledSkill>;
  list(): Promise<InstalledSkill[]>;
  walls(options?: { again?: boolean }): Promise<WallState>;
  /** Puts what is installed into the catalogue, and looks at its files a moment later. */
  readonly service: Service;
}

const TAMPERED = 'its files are not those that were installed';

export function createInstalledSkills(deps: InstalledSkillsDeps): InstalledSkills {
  const { store, bus, clock, audit, catalogue, sandbox, folder: home } = deps;
  const placeOf = ({ name, version }: { readonly name: string; readonly version: string }): string => join(home, name, version);

  async function preview(folder: string): Promise<SkillPreview> {
    const read = await readSkillFolder(folder);
    const manifest = readManifest(textOf(read, MANIFEST_FILE)!);
    const before = await findInstalled(store.db, manifest.name);
    const grants = grantLines(manifest);
    const others = catalogue.list().flatMap(({ name, aliases }) => [name, ...aliases]);
    const isUpdate = before !== undefined && before.state !== 'removed';
    return {
      ...aboutOf(manifest),
      checksum: read.checksum,
      sizeBytes: read.sizeBytes,
      files: read.files.map(({ path, bytes }) => ({ path, sizeBytes: bytes.byteLength })),
      leftOut: [...read.leftOut],
      grants,
      outcomes: manifest.outcomes,
      warnings: warningsOf(manifest, others),
      update: isUpdate ? { from: before.version, ...grantDiff(grantLines(manifestOf(before)), grants) } : null,
      walls: await walls(),
    };
  }

  /** Reads again what was looked at in the preview: if it is not the same, the owner approved something else. */
  async function approved(folder: string, checksum: string): Promise<{ read: SkillFolder; manifest: Manifest }> {
    const read = await readSkillFolder(folder);
    if (read.checksum !== checksum)
      throw new AppError('conflict', 'skill.changed', `${folder} has changed since it was looked at: look at it again`, { folder });
    return { read, manifest: readManifest(textOf(read, MANIFEST_FILE)!) };
  }

  async function install(folder: string, checksum: string, by: string): Promise<InstalledSkill> {
    const { read, manifest } = await approved(folder, checksum);
    const before = await findInstalled(store.db, manifest.name);
    if (before && before.state !== 'removed')
      throw new AppError(
        'conflict',
        'skill.installed',
        `"${manifest.name}" is installed already, as version ${before.version}: update it instead`,
        {
          skill: manifest.name,
        },
      );
    return put(read, manifest, { action: 'skills.install', source: folder, by, from: null });
  }

  async function update(name: string, folder: string, checksum: string, by: string): Promise<InstalledSkill> {
    const before = await rowOf(name);
    const { read, manifest } = await approved(folder, checksum);
    if (manifest.name !== name)
      throw new AppError('conflict', 'skill.other_name', `${folder} is the skill "${manifest.name}", not "${name}"`, { skill: name });
    if (manifest.version === before.version)
      throw new AppError(
        'conflict',
        'skill.same_version',
        `"${name}" is installed as version ${before.version} already: give the new one another version in skill.json`,
        {
          skill: name,
        },
      );
    const done = await put(read, manifest, { action: 'skills.update', source: folder, by, from: before });
    await discard(placeOf(before));
    return done;
  }

  async function put(
    read: SkillFolder,
    manifest: Manifest,
    { action, source, by, from }: { action: 'skills.install' | 'skills.update'; source: string; by: string; from: InstalledRow | null },
  ): Promise<InstalledSkill> {
    const { name, version } = manifest;
    const taken = catalogue.find(name);
    if (taken && catalogue.info(name).kind !== 'installed')
      throw new AppError('conflict', 'skill.name_taken', `"${name}" is a skill of the program: give yours another name in skill.json`, {
        skill: name,
      });
    await writeSkillFolder(read, placeOf(manifest));
    const now = clock.now();
    const row: InstalledRow = {
      name,
      version,
      state: 'enabled',
      reason: null,
      checksum: read.checksum,
      manifest: JSON.stringify(manifest),
      size_bytes: read.sizeBytes,
      source,
      installed_by: by,
      installed_at: now,
      changed_at: now,
    };
    const regrant = await deps.grants(name);
    const { added, removed } = grantDiff(from ? grantLines(manifestOf(from)) : [], grantLines(manifest));
    await store.write(async (tx) => {
      await putInstalled(tx, row);
      await regrant(tx, manifest, by);
      const asked = { added: added.map(asText), removed: removed.map(asText) };
      await audit.record(
        {
          actor: by,
          action,
          resource: `skill:${name}`,
          details: { version, ...(from && { from: from.version }), checksum: read.checksum, ...asked },
        },
        tx,
      );
    });
    admit(row);
    bus.publish('skill.changed', { name });
    return describe(row);
  }

  async function remove(name: string, by: string): Promise<{ name: string; usedBy: string[] }> {
    const row = await rowOf(name);
    const usedBy = [...(await deps.usedBy(name))];
    const regrant = await deps.grants(name);
    await store.write(async (tx) => {
      await setInstalledState(tx, name, { state: 'removed', reason: null, changed_at: clock.now() });
      await regrant(tx, null, by);
      await audit.record({ actor: by, action: 'skills.remove', resource: `skill:${name}`, details: { version: row.version } }, tx);
    });
    catalogue.drop(name, goneSince(clock.now()));
    bus.publish('skill.changed', { name });
    await discard(join(home, name));
    return { name, usedBy };
  }

  async function enable(name: string, by: string): Promise<InstalledSkill> {
    const row = await rowOf(name);
    const problem = await problemOf(row);
    if (problem !== null)
      throw new AppError('conflict', 'skill.tampered', `"${name}" stays disabled: ${problem}. Remove it and install it again`, {
        skill: name,
      });
    return change(row, { state: 'enabled', reason: null }, by, 'skills.enable');
  }

  async function disable(name: string, by: string): Promise<InstalledSkill> {
    return change(await rowOf(name), { state: 'disabled', reason: 'you disabled it' }, by, 'skills.disable');
  }

  async function change(
    row: InstalledRow,
    set: Pick<InstalledRow, 'state' | 'reason'>,
    by: string,
    action: 'skills.enable' | 'skills.disable' | 'skills.tampered',
  ): Promise<InstalledSkill> {
    const changed = { ...row, ...set, changed_at: clock.now() };
    await store.write(async (tx) => {
      await setInstalledState(tx, row.name, { ...set, changed_at: changed.changed_at });
      await audit.record({ actor: by, action, resource: `skill:${row.name}`, details: { version: row.version, reason: set.reason } }, tx);
    });
    admit(changed);
    bus.publish('skill.changed', { name: row.name });
    return describe(changed);
  }

  /** What is wrong with the files of an installed skill, or null. */
  async function problemOf(row: InstalledRow): Promise<string | null> {
    try {
      const { checksum } = await readSkillFolder(placeOf(row), { strict: true });
      return checksum === row.checksum ? null : TAMPERED;
    } catch (error) {
      return `${TAMPERED}: ${errorInfo(error).message}`;
    }
  }

  /** Disables what was changed, and says so. */
  async function reject(row: InstalledRow, problem: string): Promise<void> {
    await change(row, { state: 'disabled', reason: problem }, 'system', 'skills.tampered');
    deps.tell(
      'critical',
      `The skill ${row.name} was tampered with`,
      `It is disabled: ${problem}. Somebody who can write into ${placeOf(row)} changed it, or the disk did. Remove it and install it again from a source you trust.`,
    );
  }

  async function verify(name?: string): Promise<{ name: string; version: string; ok: boolean; problem: string | null }[]> {
    const rows = name === undefined ? (await allInstalled(store.db)).filter(({ state }) => state !== 'removed') : [await rowOf(name)];
    const reports = [];
    for (const row of rows) {
      const problem = await problemOf(row);
      if (problem !== null && row.state === 'enabled') await reject(row, problem);
      reports.push({ name: row.name, version: row.version, ok: problem === null, problem });
    }
    return reports;
  }

  /** Into the catalogue; what runs is looked at again each time. */
  function admit(row: InstalledRow): void {
    const manifest = manifestOf(row);
    const skill = asSkill(manifest, async ({ input, config, context }) => {
      const problem = await problemOf(row);
      if (problem !== null) {
        await reject(row, problem);
        throw new AppError('conflict', 'skill.tampered', `The skill "${row.name}" was disabled: ${problem}`, { skill: row.name });
      }
      return sandbox.run({ manifest, folder: placeOf(row), input, config, context });
    });
    catalogue.put(skill, { version: row.version, disabled: row.state === 'disabled' ? (row.reason ?? 'it was disabled') : null });
  }

  async function rowOf(name: string): Promise<InstalledRow> {
    const row = await findInstalled(store.db, name);
    if (!row || row.state === 'removed')
      throw new AppError('not_found', 'skill.not_installed', `No skill "${name}" is installed; see "castellan skills list"`, {
        skill: name,
      });
    return row;
  }

  async function describe(row: InstalledRow): Promise<InstalledSkill> {
    const manifest = manifestOf(row);
    return {
      ...aboutOf(manifest),
      state: row.state === 'disabled' ? 'disabled' : 'enabled',
      reason: row.reason,
      checksum: row.checksum,
      sizeBytes: row.size_bytes,
      grants: grantLines(manifest),
      source: row.source,
      installedAt: new Date(row.installed_at).toISOString(),
      installedBy: row.installed_by,
      usedBy: [...(await deps.usedBy(row.name))],
    };
  }

  async function walls(options: { again?: boolean } = {}): Promise<WallState> {
    const { deno, bubblewrap, limits, missing } = await deps.walls.look(options);
    return { state: deno === null ? 'none' : bubblewrap ? 'bubblewrap_and_deno' : 'deno_alone', limits, missing: [...missing] };
  }

  async function discard(folder: string): Promise<void> {
    // A run under way has read what it needs; what cannot be removed now never runs, for no row names it.
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) =>
      deps.onError('files of a skill could not be removed', error),
    );
  }

  const service: Service = {
    name: 'installed-skills',
    async start({ signal }) {
      for (const row of await allInstalled(store.db)) {
        if (row.state === 'removed') catalogue.drop(row.name, goneSince(row.changed_at));
        else admit(row);
      }
      const look = setTimeout(
        () => void verify().catch((error: unknown) => deps.onError('installed skills could not be verified', error)),
        2_000,
      );
      signal.addEventListener('abort', () => clearTimeout(look), { once: true });
      return {
        stop: async () => clearTimeout(look),
        health() {
          const broken = catalogue.list().filter((it) => it.disabled?.startsWith(TAMPERED));
          return broken.length === 0 ? { ok: true } : { ok: false, detail: `tampered with: ${broken.map(({ name }) => name).join(', ')}` };
        },
      };
    },
  };

  return {
    preview,
    install,
    update,
    remove,
    enable,
    disable,
    verify,
    get: async (name) => describe(await rowOf(name)),
    list: async () => Promise.all((await allInstalled(store.db)).filter(({ state }) => state !== 'removed').map(describe)),
    walls,
    service,
  };
}

function aboutOf(
  manifest: Manifest,
): Pick<InstalledSkill, 'name' | 'version' | 'title' | 'description' | 'author' | 'homepage' | 'license' | 'timeoutMs' | 'memoryMb'> {
  const { name, version, title = name, description, author = null, homepage = null, license = null, timeoutMs, memoryMb } = manifest;
  return { name, version, title, description, author, homepage, license, timeoutMs, memoryMb };
}

function manifestOf(row: InstalledRow): Manifest {
  return Manifest.parse(JSON.parse(row.manifest));
}

function asText({ grant, on }: { readonly grant: string; readonly on: readonly string[] }): string {
  return on.length === 0 ? grant : `${grant} on ${on.join(', ')}`;
}

function goneSince(at: number): string {
  return `it was removed on ${new Date(at).toISOString().slice(0, 10)}; install it again, or take another`;
}

/** Puts what is installed into a catalogue that only describes and checks: nothing of it can be run. */
export async function describeInstalled(store: Pick<Store, 'db'>, catalogue: Catalogue): Promise<void> {
  const notHere = async (): Promise<never> => {
    throw new AppError('unavailable', 'skill.no_sandbox', 'Skills are run by the agent alone');
  };
  for (const row of await allInstalled(store.db)) {
    if (row.state === 'removed') catalogue.drop(row.name, goneSince(row.changed_at));
    else catalogue.put(asSkill(manifestOf(row), notHere), { version: row.version, disabled: row.state === 'disabled' ? row.reason : null });
  }
}
