/** For the tests and benches of other modules; nothing that runs imports it. */
export { startFakeLlm } from './fake-llm.ts';
export type { FakeError, FakeLlm, FakeOptions, FakeRequest, FakeUsage, Reply, Script } from './fake-llm.ts';
