import { route, type Route } from '#core/endpoint';
import type { InstalledSkills } from './installed.ts';
import {
  disableSkill,
  enableSkill,
  getInstalledSkill,
  installSkill,
  listInstalledSkills,
  previewSkill,
  removeSkill,
  updateSkill,
  verifySkills,
} from './shapes.ts';

export function installedSkillRoutes(installed: InstalledSkills): readonly Route[] {
  return [
    route(listInstalledSkills, async () => ({ items: await installed.list(), walls: await installed.walls() })),
    route(getInstalledSkill, ({ name }) => installed.get(name)),
    route(previewSkill, ({ folder }) => installed.preview(folder)),
    route(installSkill, ({ folder, checksum }, { caller }) => installed.install(folder, checksum, caller.id)),
    route(updateSkill, ({ name, folder, checksum }, { caller }) => installed.update(name, folder, checksum, caller.id)),
    route(removeSkill, ({ name }, { caller }) => installed.remove(name, caller.id)),
    route(enableSkill, ({ name }, { caller }) => installed.enable(name, caller.id)),
    route(disableSkill, ({ name }, { caller }) => installed.disable(name, caller.id)),
    route(verifySkills, async ({ name }) => ({ items: await installed.verify(name) })),
  ];
}
