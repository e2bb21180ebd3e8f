import { cacheModes } from '../lib/graph/labels.ts';
import { Schedule } from '../lib/plans/schedule.ts';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import type { Shape } from '../lib/values/shape.ts';
import type { LaunchPlanSettings } from './launch-plan-settings.ts';

/** What a setting must be, as far as it can be told without the others. */
interface Kind {
  readonly what: string;
  readonly fits: (value: unknown) => boolean;
}

const isMap = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
export const isDuration = (value: unknown): value is { toMilliseconds(): number } =>
  isMap(value) && typeof (value as { toMilliseconds?: unknown }).toMilliseconds === 'function';

const any: Kind = { what: 'anything', fits: () => true };
const text: Kind = { what: 'text', fits: (value) => typeof value === 'string' };
const yesOrNo: Kind = { what: 'true or false', fits: (value) => typeof value === 'boolean' };
const map: Kind = { what: 'a map by name', fits: isMap };
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
    isMap(value) &&
    Object.values(value as object).every((each) => typeof each === 'string' || typeof each === 'object'),
};
const either = (one: Kind, other: Kind): Kind => ({
  what: `${one.what}, or ${other.what}`,
  fits: (value) => one.fits(value) || other.fits(value),
});
const oneOf = (...values: readonly string[]): Kind => ({
  what: values.map((value) => `'${value}'`).join(' or '),
  fits: (value) => values.includes(value as string),
});
const atLeast = (least: number): Kind => ({
  what: `a whole number of at least ${least}`,
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= least,
});

/** All settings of plans and runs: `any` for those that are checked where they are used. */
const KINDS: Readonly<Record<keyof LaunchPlanSettings<Shape>, Kind>> = {
  annotations: map,
  artifactRoot: text,
  backups: any,
  between: map,
  cache: oneOf(...cacheModes),
  catchUp: oneOf('none', 'latest', 'all'),
  cluster: any,
  concurrencyPolicy: either(oneOf('Allow', 'Forbid', 'Replace'), { ...map, what: '{ queue: <number> }' }),
  driver: either(yesOrNo, { ...map, what: 'what is said of it' }),
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
  serviceAccount: either(text, { ...map, what: 'an IServiceAccount of cdk8s-plus' }),
  spot: either(yesOrNo, { ...map, what: '{ selector, toleration }' }),
  startingDeadline: someTime,
  successfulRunsHistoryLimit: atLeast(0),
  suspended: yesOrNo,
  timeout: someTime,
  timeZone: text,
  ttlAfterFinished: duration,
};

/**
 * The settings that there are, without those that are something else, and what is wrong. The compiler sees most of it, but not a misspelt name in what a
 * function returns, and nothing of what was read from a file.
 */
export function rightSettings<S extends object>(
  said: S,
): { readonly settings: S; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const settings = Object.entries(said).filter(([path, value]) => {
    if (value === undefined) return false;
    const kind = Object.hasOwn(KINDS, path) ? KINDS[path as keyof typeof KINDS] : undefined;
    if (kind?.fits(value)) return true;
    problems.push(
      kind === undefined
        ? { path, message: 'there is no such setting', fix: suggest(path, Object.keys(KINDS)) ?? 'take it out' }
        : {
            path,
            message: `must be ${kind.what}, not ${isDuration(value) ? `${value.toMilliseconds()}ms` : show(value)}`,
          },
    );
    return false;
  });
  return { settings: Object.fromEntries(settings) as S, problems };
}
