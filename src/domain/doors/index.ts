export { createCertificates, type Certificates, type CertificatesDeps } from './certificates.ts';
export { certificateRoutes } from './routes.ts';
export { serverNames } from './server-names.ts';
export { doorMigrations } from './tables.ts';
export { certificateUpkeep } from './upkeep.ts';
export { factsOf, type CertificateFacts } from './x509.ts';
