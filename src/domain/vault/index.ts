export { refuseWeakSecrets } from './given-secrets.ts';
export { masterKeySource, type MasterKeyOptions, type MasterKeySource } from './master-key.ts';
export type { Redactor } from './redactor.ts';
export { vaultRoutes } from './routes.ts';
export { vaultMigrations } from './tables.ts';
export { createVault, type Vault, type VaultDeps } from './vault.ts';
export { isPlaceholder } from './weak.ts';
