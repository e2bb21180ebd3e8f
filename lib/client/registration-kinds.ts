import { cacheModes } from '../graph/labels.ts';
import { isJsonObject } from '../values/json.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import type { PlanRegistration } from './plan-registration.ts';
import type { WorkflowType } from './types.ts';

/** What a setting must be, as far as it can be told without the others. */
interface Kind {
  readonly what: string;
  readonly fits: (value: unknown) => boolean;
}

const any: Kind = { what: 'anything', fits: () => true };
const text: Kind = { what: 'text', fits: (value) => typeof value === 'string' };
const map: Kind = { what: 'a map by name', fits: isJsonObject };
const yesOrNo: Kind = { what: 'true or false', fits: (value) => typeof value === 'boolean' };
const oneOf = (...values: readonly string[]): Kind => ({
  what: values.join(' or '),
  fits: (value) => values.includes(value as string),
});
const whole: Kind = {
  what: 'a whole number of at least 0',
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};
const either = (one: Kind, other: Kind): Kind => ({
  what: `${one.what}, or ${other.what}`,
  fits: (value) => one.fits(value) || other.fits(value),
});

/** All settings of a registration: `any` for those that are checked where they are used. */
const KINDS: Readonly<Record<keyof PlanRegistration<WorkflowType>, Kind>> = {
  annotations: map,
  artifactRoot: text,
  between: map,
  cache: oneOf(...cacheModes),
  catchUp: oneOf('none', 'latest', 'all'),
  concurrencyPolicy: either(oneOf('Allow', 'Forbid', 'Replace'), { ...map, what: '{ queue: <number> }' }),
  driver: either(yesOrNo, { ...map, what: 'what is said of it' }),
  env: map,
  failedRunsHistoryLimit: whole,
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
  spot: either(yesOrNo, { ...map, what: '{ selector, toleration }' }),
  startingDeadlineSeconds: whole,
  successfulRunsHistoryLimit: whole,
  suspended: yesOrNo,
  timeoutSeconds: any,
  timeZone: text,
  ttlSecondsAfterFinished: any,
  version: text,
  workflow: text,
};

/** What must be there. */
const REQUIRED = ['name', 'workflow'] as const;

/** The settings that there are, without those that are something else, and what is wrong: a program in JavaScript has no compiler that tells. */
export function rightRegistration(given: PlanRegistration<WorkflowType>): {
  readonly settings: PlanRegistration<WorkflowType>;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const settings = Object.entries(given).filter(([path, value]) => {
    if (value === undefined) return false;
    const kind = Object.hasOwn(KINDS, path) ? KINDS[path as keyof typeof KINDS] : undefined;
    if (kind?.fits(value)) return true;
    problems.push(
      kind === undefined
        ? { path, message: 'there is no such setting', fix: suggest(path, Object.keys(KINDS)) ?? 'take it out' }
        : { path, message: `must be ${kind.what}, not ${show(value)}` },
    );
    return false;
  });
  for (const path of REQUIRED) if (given[path] === undefined) problems.push({ path, message: 'is missing' });
  return { settings: Object.fromEntries(settings) as unknown as PlanRegistration<WorkflowType>, problems };
}
