export { createHttp, type Address, type Listener } from './server.ts';
export type { Auth, DenialRecord, HttpConfig, HttpDeps, Log, Metric, RawRequest, RawRoute } from './ports.ts';
export { createIngress, type IngressAnswer, type IngressDeps, type IngressHandler, type IngressRequest } from './ingress.ts';
