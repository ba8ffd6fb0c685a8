export { scoreInjection } from './injection.ts';
