import { route, type Route } from '#core/endpoint';
import { listOccurrences, listSchedules, previewSchedule } from './contract.ts';
import type { Schedules } from './schedules.ts';

/** `workflowId`: the id of a workflow by its name or id. */
export function scheduleRoutes(schedules: Schedules, workflowId: (idOrName: string) => Promise<string>): readonly Route[] {
  return [
    route(listSchedules, async ({ workflow }) => ({
      items: await schedules.list(workflow === undefined ? undefined : await workflowId(workflow)),
      next: null,
    })),
    route(listOccurrences, async ({ id, limit }) => ({ items: await schedules.occurrences(id, limit), next: null })),
    route(previewSchedule, async ({ expression, timeZone, from, count }) => ({
      items: schedules
        .preview(expression, timeZone, from === undefined ? undefined : Date.parse(from), count)
        .map((ms) => new Date(ms).toISOString()),
    })),
  ];
}
