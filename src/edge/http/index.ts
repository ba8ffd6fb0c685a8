export { createHttp, type Listener, type OwnerListener } from './server.ts';
export type { Metric } from './ports.ts';
export { createIngress, type IngressHandler } from './ingress.ts';
