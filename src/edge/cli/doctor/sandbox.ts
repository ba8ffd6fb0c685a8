import { createWallProbe } from '#skills';
import { listInstalledSkills } from '#skills/contract';
import { fail, ok, warn, type Check } from './checks.ts';

/** The walls around installed skills, as this machine has them now, and the skills behind them. */
export const checkSandbox: Check = async ({ io, pid }) => {
  const { deno, bubblewrap, missing } = await createWallProbe().look();
  const client = pid === null ? null : await io.clientIfRunning();
  const installed = client ? (await client.call(listInstalledSkills, {}, { signal: AbortSignal.timeout(20_000) })).items : [];
  const walls =
    deno === null || !bubblewrap
      ? missing.map((line) => warn('sandbox', line))
      : [ok('sandbox', 'Installed skills run in deno without permissions, inside bubblewrap')];
  return [
    ...walls,
    ...installed
      .filter(({ state }) => state === 'disabled')
      .map(({ name, reason }) =>
        reason?.startsWith('its files')
          ? fail(
              'skills',
              `${name} is disabled: ${reason}`,
              `castellan skills remove ${name}, and install it again from a source you trust`,
            )
          : warn('skills', `${name} is disabled: ${reason}`, `castellan skills enable ${name}`),
      ),
  ];
};
