import { compatible } from './compatible/index.ts';
import { conform } from './conformance.ts';
import { providerKinds } from './kinds.ts';

for (const kind of providerKinds) conform({ kind });
conform({
  kind: compatible,
  name: 'compatible, Ollama by its own API',
  fake: { ollama: true },
  options: { num_ctx: 8192 },
  detailedUsage: false,
});
