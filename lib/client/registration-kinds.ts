import { cacheModes } from '../graph/labels.ts';
import type { Problem } from '../values/problems.ts';
import {
  any,
  atLeast,
  concurrency,
  either,
  map,
  mapOf,
  oneOf,
  rightSettings,
  text,
  yesOrNo,
  type Kind,
} from '../values/setting-kinds.ts';
import type { PlanRegistration } from './plan-registration.ts';
import type { WorkflowType } from './types.ts';

/** All settings of a registration: `any` for those that are checked where they are used. */
const KINDS: Readonly<Record<keyof PlanRegistration<WorkflowType>, Kind>> = {
  annotations: map,
  artifactRoot: text,
  between: map,
  cache: oneOf(...cacheModes),
  catchUp: oneOf('none', 'latest', 'all'),
  concurrencyPolicy: concurrency,
  driver: either(yesOrNo, mapOf('what is said of it')),
  env: map,
  failedRunsHistoryLimit: atLeast(0),
  failurePolicy: any,
  fixedInputs: map,
  group: text,
  inputs: map,
  job: map,
  labels: map,
  name: text,
  notifications: map,
  parallelism: any,
  pausedUntil: text,
  podTemplate: map,
  priority: any,
  retries: any,
  runUrl: text,
  schedule: {
    what: 'text, or a list of texts',
    fits: (value) => [value].flat().every((each) => typeof each === 'string'),
  },
  serviceAccount: text,
  spot: either(yesOrNo, mapOf('{ selector, toleration }')),
  startingDeadlineSeconds: atLeast(0),
  successfulRunsHistoryLimit: atLeast(0),
  suspended: yesOrNo,
  timeoutSeconds: any,
  timeZone: text,
  ttlSecondsAfterFinished: any,
  version: text,
  workflow: text,
};

/** What must be there. */
const REQUIRED = ['name', 'workflow'] as const;

/** The settings that there are, without those that are something else, and what is wrong. */
export function rightRegistration(given: PlanRegistration<WorkflowType>): {
  readonly settings: PlanRegistration<WorkflowType>;
  readonly problems: readonly Problem[];
} {
  const { settings, problems } = rightSettings(given, KINDS);
  const missing = REQUIRED.filter((path) => given[path] === undefined);
  return { settings, problems: [...problems, ...missing.map((path) => ({ path, message: 'is missing' }))] };
}
