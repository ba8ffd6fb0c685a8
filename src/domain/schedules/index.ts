export { createSchedules, type Schedules, type SchedulesDeps } from './schedules.ts';
export { nextOccurrences, parseCron } from './cron.ts';
export { explainOccurrence } from './explain.ts';
export { answerLine, toIso } from './lines.ts';
export { scheduleRoutes } from './routes.ts';
export { scheduleMigrations } from './tables.ts';
