import { cacheModes } from '../lib/graph/labels.ts';
import { Schedule } from '../lib/plans/schedule.ts';
import { show } from '../lib/values/problems.ts';
import {
  any,
  atLeast,
  concurrency,
  either,
  map,
  mapOf,
  oneOf,
  rightSettings as settingsOfKinds,
  text,
  yesOrNo,
  type Kind,
} from '../lib/values/setting-kinds.ts';
import type { Shape } from '../lib/values/shape.ts';
import type { LaunchPlanSettings } from './launch-plan-settings.ts';

export const isDuration = (value: unknown): value is { toMilliseconds(): number } =>
  map.fits(value) && typeof (value as { toMilliseconds?: unknown }).toMilliseconds === 'function';

const duration: Kind = { what: 'a Duration of cdk8s', fits: isDuration };
const someTime: Kind = {
  what: 'a Duration of cdk8s, of more than nothing',
  fits: (value) => isDuration(value) && value.toMilliseconds() > 0,
};
const schedules: Kind = {
  what: 'a Schedule, or a list of them',
  fits: (value) => [value].flat().every((each) => each instanceof Schedule),
};
const variables: Kind = {
  what: 'a map of names to text, or to where it is from',
  fits: (value) =>
    map.fits(value) &&
    Object.values(value as object).every((each) => typeof each === 'string' || typeof each === 'object'),
};

/** All settings of plans and runs: `any` for those that are checked where they are used. */
const KINDS: Readonly<Record<keyof LaunchPlanSettings<Shape>, Kind>> = {
  annotations: map,
  artifactRoot: text,
  backups: any,
  between: map,
  cache: oneOf(...cacheModes),
  catchUp: oneOf('none', 'latest', 'all'),
  cluster: any,
  concurrencyPolicy: concurrency,
  driver: either(yesOrNo, mapOf('what is said of it')),
  env: variables,
  failedRunsHistoryLimit: atLeast(0),
  failurePolicy: any,
  fixedInputs: map,
  inputs: map,
  job: map,
  labels: map,
  name: text,
  namespace: text,
  notifications: map,
  // The Job of a run with none of them would be one that starts nothing, and never ends.
  parallelism: atLeast(1),
  pausedUntil: text,
  podTemplate: map,
  priority: any,
  retries: any,
  runUrl: text,
  schedule: schedules,
  serviceAccount: either(text, mapOf('an IServiceAccount of cdk8s-plus')),
  spot: either(yesOrNo, mapOf('{ selector, toleration }')),
  startingDeadline: someTime,
  successfulRunsHistoryLimit: atLeast(0),
  suspended: yesOrNo,
  timeout: someTime,
  timeZone: text,
  ttlAfterFinished: duration,
};

/** The settings of a plan or run that there are, without those that are something else, and what is wrong. */
export function rightSettings<S extends object>(said: S) {
  return settingsOfKinds(said, KINDS, (value) => (isDuration(value) ? `${value.toMilliseconds()}ms` : show(value)));
}
