export { enclose, ENVELOPE_RULE, envelopeMarks, newBoundary, type Enclosure } from './envelope.ts';
export { revealText } from './hidden.ts';
export { scoreInjection } from './injection.ts';
