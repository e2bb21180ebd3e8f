import { nextOf } from '../../fleet/held-plan.ts';
import { suggest } from '../../values/problems.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';
import { FailedError, UsageError } from '../errors.ts';
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
 * The version to go back to when nobody names one: the one that the held plans among them have, which a canary was to try another one beside; else the
 * newest before the newest that one of them has.
 *
 * @param versions the newest first
 * @throws FailedError when there is none, or it is not clear which
 */
export function versionBefore(
  subject: string,
  plans: readonly PlanCronJob[],
  versions: readonly PlanVersion[],
): PlanVersion {
  const held = new Set(plans.filter((plan) => nextOf(plan) !== undefined).map((plan) => graphOfPlan(plan).name));
  const used = new Set(plans.map((plan) => graphOfPlan(plan).name));
  const at = versions.findIndex(({ name }) => used.has(name));
  if (at < 0)
    throw new FailedError(`The version that ${subject} names is not on the cluster; say which one to take with --to`);
  if (plans.length > 1 && held.size > 0 && used.size > 1) {
    const kept = versions.filter(({ name }) => held.has(name));
    if (kept.length === 1) return kept[0]!;
    throw new FailedError(
      `Plans of ${subject} are held at ${kept.map(({ version }) => version).join(' and ')}; say which one to take with --to`,
    );
  }
  const before = versions[at + 1];
  if (before === undefined)
    throw new FailedError(`There is no version of ${subject} before the current one, ${versions[at]!.version}`);
  return before;
}
