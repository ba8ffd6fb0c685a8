import { conform } from './conformance.ts';
import { providerKinds } from './kinds.ts';

for (const kind of providerKinds) conform(kind);
