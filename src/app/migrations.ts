import { outboxMigrations } from '#core/db/outbox';
import { queueMigrations } from '#core/db/queue';
import { auditMigrations } from '#audit';
import { settingsMigrations } from '#settings';
import { vaultMigrations } from '#vault';
import { ownerMigrations } from '#owner';
import { policyMigrations } from '#policy';
import { runMigrations } from '#runs';
import { llmMigrations } from '#llm';
import { memoryMigrations } from '#memory';
import { skillMigrations } from '#skills';
import { workflowMigrations } from '#workflows';
import { scheduleMigrations } from '#schedules';
import { agentMigrations } from '#agents';
import { channelMigrations } from '#channels';
import { notificationMigrations } from '#notifications';
import { doorMigrations } from '#doors';

/** Every module's, the lowest first. */
export const migrations = [
  outboxMigrations,
  queueMigrations,
  auditMigrations,
  settingsMigrations,
  vaultMigrations,
  ownerMigrations,
  policyMigrations,
  runMigrations,
  llmMigrations,
  memoryMigrations,
  skillMigrations,
  workflowMigrations,
  scheduleMigrations,
  agentMigrations,
  channelMigrations,
  notificationMigrations,
  doorMigrations,
].flat();
