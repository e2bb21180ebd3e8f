import { nextOf, plannedGraph, plannedVersion, previousOf } from '../../../fleet/held-plan.ts';
import { suggest } from '../../../values/problems.ts';
import type { PlanCronJob } from '../../../runs/run-objects.ts';
import { FailedError, UsageError } from '../../errors.ts';
import { graphOfPlan, type PlanVersion } from './plan-versions.ts';

/** The version that was asked for, by its name or the beginning of it. @throws UsageError when there is none, or several */
export function versionNamed(subject: string, versions: readonly PlanVersion[], to: string): PlanVersion {
  const exact = versions.find(({ version, name }) => version === to || name === to);
  const matching = exact ? [exact] : versions.filter(({ version }) => version.startsWith(to));
  if (matching.length === 1) return matching[0]!;
  if (matching.length > 1)
    throw new UsageError(`--to ${to} may be ${matching.map(({ version }) => version).join(' or ')}; write more of it`);
  const known = versions.map(({ version }) => version);
  throw new UsageError(`--to ${to}: ${subject} has no such version; ${suggest(to, known) ?? 'none is kept'}`);
}

/**
 * The version to go back to when nobody names one: the one that the held plans among them have, which a canary was to try another one beside; else
 * the one that they had before a canary or a promotion; else the newest before the newest that one of them has.
 *
 * @param versions the newest first
 * @throws FailedError when there is none, or it is not clear which
 */
export function versionBefore(
  subject: string,
  plans: readonly PlanCronJob[],
  versions: readonly PlanVersion[],
): PlanVersion {
  const used = new Set(plans.map((plan) => graphOfPlan(plan).name));
  const at = versions.findIndex(({ name }) => used.has(name));
  if (at < 0)
    throw new FailedError(`The version that ${subject} names is not on the cluster; say which one to take with --to`);
  const held = plans.filter((plan) => nextOf(plan) !== undefined);
  const had: ReadonlyMap<string, string> = new Map(
    used.size > 1
      ? held.map((plan) => [graphOfPlan(plan).name, plannedVersion(plan) ?? ''])
      : plans.flatMap(previousOf).flatMap((plan) => (plan ? [[plannedGraph(plan)!, plannedVersion(plan) ?? '']] : [])),
  );
  const known = [...had.keys()];
  const gone = known.filter((graph) => !versions.some(({ name }) => name === graph)).map((graph) => had.get(graph));
  if (gone.length > 0)
    throw new FailedError(
      `The version ${gone.join(' and ')} that ${subject} had before is not on the cluster any more; say which one to take with --to`,
    );
  const before = versions.filter(({ name }) => known.includes(name));
  if (before.length === 1) return before[0]!;
  if (before.length > 1) {
    const names = before.map(({ version }) => version).join(' and ');
    throw new FailedError(`Plans of ${subject} have had the versions ${names}; say which one to take with --to`);
  }
  const ahead = new Set(held.map((plan) => plannedGraph(nextOf(plan)!)));
  const older = versions.slice(at + 1).find(({ name }) => !ahead.has(name));
  if (older !== undefined) return older;
  throw new FailedError(`There is no version of ${subject} before the current one, ${versions[at]!.version}`);
}
