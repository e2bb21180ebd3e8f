import { hostOf, service } from '../engine/scenario.ts';
import type { Scenario } from './scenario.ts';

const done = 'Succeeded/Completed';
const stopped = 'Succeeded/ServiceStopped';
const cancelled = 'Cancelled/CancelRequested';
const failed = 'Failed/StepFailed';
const up = { seconds: 600 };
const test = { inputs: { host: hostOf('db') } };
const independent = { failurePolicy: 'RunIndependent' } as const;

/** Steps that stay up while others run. */
export const services: readonly Scenario[] = [
  {
    name: 'a service is up while the steps run that depend on it, and is stopped then',
    steps: { db: service, test, load: { after: ['db'] }, tidy: { role: 'finally' } },
    does: { db: up },
    run: done,
    ends: { db: stopped, test: done, load: done, tidy: done },
    attempts: { db: ['ServiceStopped'] },
  },
  {
    name: 'services take no room from the steps that depend on them, and are stopped one after the other',
    steps: { db: service, app: { ...service, ...test }, a: { after: ['app'] }, b: { after: ['app', 'db'] } },
    does: { db: up, app: up },
    parallelism: 1,
    run: done,
    ends: { db: stopped, app: stopped, a: done, b: done },
  },
  {
    name: 'a service that ends by itself, and be it well, is tried again',
    steps: { db: { ...service, retries: { limit: 1 } }, test },
    does: { db: [{}, up], test: { seconds: 1 } },
    run: done,
    ends: { db: stopped, test: done },
    attempts: { db: ['ServiceEnded', 'ServiceStopped'] },
  },
  {
    name: 'when a service has failed for good, what runs goes on, and what has not begun is skipped',
    steps: { db: service, test, more: { after: ['db', 'test'] }, other: { after: ['test'] } },
    graph: independent,
    does: { db: { seconds: 1, exit: 1 }, test: { seconds: 3 } },
    run: failed,
    ends: { db: 'Failed/ExitCode', test: done, more: 'Skipped/UpstreamFailed', other: done },
  },
  {
    name: 'a service is stopped as well when what depends on it fails',
    steps: { db: service, test },
    does: { db: up, test: { exit: 1 } },
    run: failed,
    ends: { db: stopped, test: 'Failed/ExitCode' },
  },
  {
    name: 'the items of a map share a service',
    steps: { db: service, map: { kind: 'map', over: [{ input: 'n', list: { value: [1, 2, 3] } }], ...test } },
    does: { db: up },
    run: done,
    ends: { db: stopped, map: done, 'map-0': done, 'map-1': done, 'map-2': done },
  },
  {
    name: 'a service that is switched off is done without, or replaced',
    steps: {
      db: { ...service, when: { cel: 'false', steps: [] } },
      after: { after: ['db'] },
      other: { inputs: { host: hostOf('db', 'db.example.com') } },
      test,
    },
    run: done,
    ends: { db: 'Skipped/WhenFalse', after: done, other: done, test: 'Skipped/InputUnavailable' },
  },
  {
    name: 'a run that is drained keeps its services while steps run that depend on them',
    steps: { db: service, test, more: { after: ['test', 'db'] } },
    does: { db: up, test: { seconds: 2 } },
    asked: { once: 'test: ContainerRunning', cancel: 'Drain' },
    run: cancelled,
    ends: { db: stopped, test: done, more: cancelled },
  },
  {
    name: 'a run that is cancelled stops its services with the rest',
    steps: { db: service, test },
    does: { db: up, test: up },
    asked: { once: 'test: ContainerRunning', cancel: 'Now' },
    run: cancelled,
    ends: { db: cancelled, test: cancelled },
  },
];
