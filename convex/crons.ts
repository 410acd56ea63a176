import { cronJobs } from 'convex/server';
import { internal } from './_generated/api.js';

const crons = cronJobs();

crons.interval(
  'mark stale runtimes offline',
  { seconds: 30 },
  internal.accounts.markStaleRuntimesOffline,
  {},
);

export default crons;
