import { z } from 'zod';
import { endpoint } from '#core/endpoint';

/** One thing an installed skill may do, in words. */
export const GrantLine = z.object({
  grant: z.string(),
  /** Hosts, skills or settings; empty where there is nothing to name. */
  on: z.array(z.string()),
  says: z.string(),
});
export type GrantLine = z.infer<typeof GrantLine>;

/** What stands between installed skills and the machine. */
export const WallState = z.object({
  /** both; deno alone; none: then no installed skill runs. */
  state: z.enum(['bubblewrap_and_deno', 'deno_alone', 'none']),
  /** The kernel holds limits of memory and processor time. */
  limits: z.boolean(),
  missing: z.array(z.string()),
});
export type WallState = z.infer<typeof WallState>;

export const InstalledSkill = z.object({
  name: z.string(),
  version: z.string(),
  title: z.string(),
  description: z.string(),
  author: z.string().nullable(),
  homepage: z.string().nullable(),
  license: z.string().nullable(),
  state: z.enum(['enabled', 'disabled']),
  /** Why it is disabled. */
  reason: z.string().nullable(),
  /** SHA-256 over all its files, pinned at the install. */
  checksum: z.string(),
  sizeBytes: z.number(),
  grants: z.array(GrantLine),
  timeoutMs: z.number(),
  memoryMb: z.number(),
  /** The folder it was installed from. */
  source: z.string(),
  installedAt: z.string(),
  installedBy: z.string(),
  /** Names of workflows with a step of it. */
  usedBy: z.array(z.string()),
});
export type InstalledSkill = z.infer<typeof InstalledSkill>;

/** A folder before it is installed. */
export const SkillPreview = z.object({
  name: z.string(),
  version: z.string(),
  title: z.string(),
  description: z.string(),
  author: z.string().nullable(),
  homepage: z.string().nullable(),
  license: z.string().nullable(),
  /** To be given back with the install: what is installed is what was looked at. */
  checksum: z.string(),
  sizeBytes: z.number(),
  files: z.array(z.object({ path: z.string(), sizeBytes: z.number() })),
  /** Hidden files and the like, which stay where they are. */
  leftOut: z.array(z.string()),
  grants: z.array(GrantLine),
  outcomes: z.array(z.string()),
  timeoutMs: z.number(),
  memoryMb: z.number(),
  /** What is worth a second look. */
  warnings: z.array(z.string()),
  /** Of the version that is installed now, and how its grants differ. */
  update: z.object({ from: z.string(), added: z.array(GrantLine), removed: z.array(GrantLine), kept: z.array(GrantLine) }).nullable(),
  walls: WallState,
});
export type SkillPreview = z.infer<typeof SkillPreview>;

const Folder = z.string().min(1).max(4_000).describe('Absolute path on the agent’s machine');
const Checksum = z.string().regex(/^[0-9a-f]{64}$/, 'is not a checksum of a preview');
const Named = z.strictObject({ name: z.string() });

export const listInstalledSkills = endpoint({
  method: 'GET',
  path: '/api/installed-skills',
  grant: 'skills:read',
  summary: 'Installed skills with their grants and state, and the walls around them.',
  input: z.strictObject({}),
  output: z.object({ items: z.array(InstalledSkill), walls: WallState }),
});
export const getInstalledSkill = endpoint({
  method: 'GET',
  path: '/api/installed-skills/{name}',
  grant: 'skills:read',
  summary: 'One installed skill.',
  input: Named,
  output: InstalledSkill,
});
export const previewSkill = endpoint({
  method: 'POST',
  path: '/api/installed-skills/preview',
  grant: 'skills:write',
  summary: 'Looks at a folder: what the skill is, what it asks for, and how that differs from the installed version.',
  input: z.strictObject({ folder: Folder }),
  output: SkillPreview,
});
export const installSkill = endpoint({
  method: 'POST',
  path: '/api/installed-skills',
  grant: 'skills:write',
  secondFactor: true,
  summary: 'Installs a skill from a folder, with the grants that its preview showed.',
  input: z.strictObject({ folder: Folder, checksum: Checksum }),
  output: InstalledSkill,
  status: 201,
});
export const updateSkill = endpoint({
  method: 'PUT',
  path: '/api/installed-skills/{name}',
  grant: 'skills:write',
  secondFactor: true,
  summary: 'Puts another version in the place of the installed one, with the grants that its preview showed.',
  input: z.strictObject({ name: z.string(), folder: Folder, checksum: Checksum }),
  output: InstalledSkill,
});
export const removeSkill = endpoint({
  method: 'DELETE',
  path: '/api/installed-skills/{name}',
  grant: 'skills:write',
  secondFactor: true,
  summary: 'Removes an installed skill, its files and its grants.',
  input: Named,
  output: z.object({ name: z.string(), usedBy: z.array(z.string()) }),
});
export const enableSkill = endpoint({
  method: 'POST',
  path: '/api/installed-skills/{name}/enable',
  grant: 'skills:write',
  secondFactor: true,
  summary: 'Lets a disabled skill run again, if its files are those that were installed.',
  input: Named,
  output: InstalledSkill,
});
export const disableSkill = endpoint({
  method: 'POST',
  path: '/api/installed-skills/{name}/disable',
  grant: 'skills:write',
  summary: 'Keeps a skill from running, until it is enabled again.',
  input: Named,
  output: InstalledSkill,
});
export const verifySkills = endpoint({
  method: 'POST',
  path: '/api/installed-skills/verify',
  grant: 'skills:read',
  summary: 'Compares the files of installed skills with what was installed; what differs is disabled.',
  input: z.strictObject({ name: z.string().optional() }),
  output: z.object({
    items: z.array(z.object({ name: z.string(), version: z.string(), ok: z.boolean(), problem: z.string().nullable() })),
  }),
});
