export { enclose, enclosedIn, withoutEnclosed, ENVELOPE_RULE, envelopeMarks, newBoundary, sealText, type Enclosure } from './envelope.ts';
export { revealText } from './hidden.ts';
export { hidesFromView, hidingSelectors } from './style.ts';
export { scoreInjection } from './injection.ts';
