import { parentPort } from 'node:worker_threads';
import { answer, type Job } from './jobs.ts';

/** The worker thread of `createFeedParser`: one job at a time, one answer each. */
parentPort?.on('message', (job: Job) => {
  void answer(job).then((it) => parentPort?.postMessage(it));
});
