import { isDeepStrictEqual } from 'node:util';
import { labels, MANAGED_BY } from '../../graph/labels.ts';
import { isJsonObject, type JsonObject } from '../../values/json.ts';
import { show, suggest } from '../../values/problems.ts';
import type { CliContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { findApp } from './app.ts';
import { loadManifests } from './synthesize.ts';

/**
 * The CronJob of a launch plan among what an app synthesizes: the one of the cluster that the plan runs on, not of one where it is only
 * kept ready.
 *
 * @throws UsageError when there is none
 */
export async function synthesizedPlan(plan: string, app: string, context: CliContext): Promise<JsonObject> {
  const { clusters } = await loadManifests(await findApp(app, context), context);
  const plans = clusters.flatMap(({ files }) => files.flatMap(({ objects }) => objects.filter(isPlan)));
  const named = plans.filter((object) => nameOf(object) === plan);
  const found = named.find(({ spec }) => isJsonObject(spec) && spec.suspend !== true) ?? named[0];
  if (found !== undefined) {
    if (named.some(({ spec }) => !isDeepStrictEqual(timesOf(spec), timesOf(found.spec))))
      context.err.line(`${context.err.colors.yellow('warning:')} its schedule is not the same on all clusters`);
    return found;
  }
  const names = [...new Set(plans.map(nameOf))];
  const near = suggest(plan, names) ?? (names.length === 0 ? 'it has none' : `there are ${names.length}`);
  throw new UsageError(`${app} has no launch plan ${show(plan)}; ${near}`);
}

function isPlan({ kind, metadata }: JsonObject): boolean {
  const own = isJsonObject(metadata) && isJsonObject(metadata.labels) ? metadata.labels : {};
  return kind === 'CronJob' && own[labels.managedBy] === MANAGED_BY;
}

function nameOf({ metadata }: JsonObject): string {
  return isJsonObject(metadata) ? String(metadata.name) : '';
}

function timesOf(spec: unknown) {
  return isJsonObject(spec) ? [spec.schedule, spec.timeZone] : [];
}
