import { systemClock } from '#core/clock';
import { memoryStore } from '#core/db/testing';
import { uuidv7 } from '#core/ids';
import { createPolicy, policyMigrations, starterRules, type PolicyRequest } from '#policy';
import { median } from './figure.ts';

const GRANTS = 1_000;
const ROUNDS = 9;

/** A decision that is repeated, and one that is new, with a thousand grants; beside one look-up in a Map by one text. */
export default {
  name: 'Policy: one decision among 1,000 grants',
  goal: 'at most 50 µs, the first time too; a repeat makes no garbage',

  async run({ quick }: { quick: boolean }) {
    await using store = await memoryStore(policyMigrations);
    const starters = starterRules([{ name: 'web_fetch', grants: ['net:fetch'] }]);
    const policy = createPolicy({
      store,
      clock: systemClock,
      newId: uuidv7(),
      audit: { record: async () => {} } as never,
      node: 'here',
      tokenKey: async () => new Uint8Array(32),
      starters: () => starters,
      onError: () => {},
    });
    await using running = {
      it: await policy.service.start({ signal: new AbortController().signal, exit: () => {} }),
      [Symbol.asyncDispose]: async () => running.it.stop(),
    };
    // half are exact, as "always allow this" makes them; half are wild and about all workflows, so each has to be looked at
    await store.write(async (tx) => {
      for (let i = 0; i < GRANTS; i += 1)
        await policy.grant(
          i % 2 === 0
            ? { principal: 'workflow:w', capability: 'net:fetch', resource: `host-${i}.example:443`, effect: 'allow' }
            : { principal: 'workflow:*', capability: 'net:fetch', resource: `*.host-${i}.example:443`, effect: 'allow' },
          { by: 'owner', origin: 'owner' },
          tx,
        );
    });
    const chain = ['owner', 'workflow:w'];
    const request = (host: string): PolicyRequest => ({
      principal: 'skill:web_fetch',
      capability: 'net:fetch',
      resource: host,
      context: { chain, labels: ['untrusted'], named: true },
    });
    const repeats = quick ? 100_000 : 1_000_000;
    const fresh = quick ? 1_000 : 10_000;
    const known = request('a.host-999.example:443');
    const map = new Map(Array.from({ length: GRANTS }, (_, i) => [`a.host-${i}.example:443`, i]));
    const times = { map: [] as number[], repeat: [] as number[], first: [] as number[] };
    let [hits, bytes] = [0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      times.map.push(time(repeats, () => (hits += map.get('a.host-999.example:443')!)));
      const before = process.memoryUsage().heapUsed;
      times.repeat.push(time(repeats, () => (hits += policy.decide(known).uses.length)));
      bytes = Math.max(0, process.memoryUsage().heapUsed - before);
      const hosts = Array.from({ length: fresh }, (_, i) => request(`${round}-${i}.host-999.example:443`));
      times.first.push(time(fresh, (i) => (hits += policy.decide(hosts[i]!).uses.length)));
    }
    const [baseline, value, first] = [times.map, times.repeat, times.first].map(median) as [number, number, number];
    return {
      baseline,
      value,
      unit: 'µs',
      ratio: value / baseline,
      extra: { firstTimeUs: first, bytesPerRepeat: bytes / repeats, hits: hits > 0 },
    };
  },
};

/** µs of the processor for one call: a busy machine does not count. */
function time(calls: number, work: (i: number) => void): number {
  const start = process.cpuUsage();
  for (let i = 0; i < calls; i += 1) work(i);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / calls;
}
