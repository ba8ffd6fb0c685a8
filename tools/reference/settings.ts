import type { Setting } from '#settings/contract';
import { exportsOf, readSource, sections, sources, type Page } from './page.ts';

/** Every setting that a module defines, by the page it is shown on. */
export const settingsPage: Page = {
  file: 'settings.md',
  title: 'Settings',
  async make() {
    const paths = await sources('domain/**/*.ts');
    const texts = await Promise.all(paths.map(readSource));
    const defining = paths.filter((_path, at) => texts[at]?.includes('= defineSetting('));
    const all = (await exportsOf(defining)).filter(isSetting).toSorted((a, b) => (a.key < b.key ? -1 : 1));
    if (all.length === 0) return null;
    const intro =
      'What the owner changes at run time: `castellan settings set KEY VALUE`, or the settings page. A variable of the environment is read once, at ' +
      'the first start. A sensitive setting holds a reference to the vault, never the value.\n\n';
    return intro + sections(all, ({ category }) => category, ['key', 'default', 'does', 'environment'], rowOf);
  },
};

function isSetting(value: unknown): value is Setting {
  return typeof value === 'object' && value !== null && 'key' in value && 'schema' in value && 'default' in value && 'category' in value;
}

function rowOf(it: Setting): readonly string[] {
  const isOfMachine = Object.getOwnPropertyDescriptor(it, 'default')?.get !== undefined;
  const text = isOfMachine ? "the machine's" : `\`${JSON.stringify(it.default)}\``;
  return [
    `\`${it.key}\`${it.sensitive ? ' (sensitive)' : ''}`,
    text,
    it.description,
    (it.env ?? []).map((name) => `\`${name}\``).join(', '),
  ];
}
