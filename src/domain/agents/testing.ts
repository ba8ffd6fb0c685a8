/** For tests of the whole program; nothing that runs imports it. */
export { bubblewrap, setup, type AcpBedOptions } from './acp/testbed.ts';
export { recipes } from './kinds.ts';
