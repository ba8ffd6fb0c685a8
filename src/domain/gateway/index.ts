export { gatewayRoutes, type GatewayDeps } from './gateway.ts';
export { createGatewaySessions, type GatewayScope, type GatewaySession, type GatewaySessions } from './sessions.ts';
export { gatewaySocket } from './socket.ts';
