export { createSchedules, type Schedules, type SchedulesDeps } from './schedules.ts';
export { nextOccurrences, parseCron } from './cron.ts';
export { answerLine, toIso } from './lines.ts';
export { scheduleRoutes } from './routes.ts';
export { scheduleMigrations } from './tables.ts';
