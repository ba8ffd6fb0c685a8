import { access } from 'node:fs/promises';
import { chromium, type Browser } from 'playwright-core';

/** Where Debian and its kin put it; the only one used, so that every machine tests with what its distribution mends. */
const CHROMIUM = '/usr/bin/chromium';

/** Why there can be no test with a browser here, or false. */
export async function missingBrowser(): Promise<string | false> {
  return access(CHROMIUM).then(
    () => false as const,
    () => `${CHROMIUM} is missing: apt-get install chromium`,
  );
}

/** A browser without a window. As root it has no sandbox of its own; all it opens is our own agent. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb'] });
}
