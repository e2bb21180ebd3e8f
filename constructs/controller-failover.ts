import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import { clusterContext } from './cluster.ts';
import { seconds } from './settings.ts';

/** When a controller takes over plans of other clusters by itself. */
export interface ControllerFailover {
  /**
   * How long a cluster must have been lost, as seen from this one. Minutes: shorter ones come with every restart of an API server. A cluster
   * that is cut off and lives goes on to start its plans, and they run twice.
   */
  readonly after: Duration;
  /** The clusters, which `remoteClusters` gives access to. The plans whose first backup this cluster is are activated. The cluster that the controller is on itself is passed over. */
  readonly from: readonly string[];
}

/** @internal The clusters whose plans are taken over, without the one that the controller is on. */
function takenOverFrom(scope: Construct, { from }: ControllerFailover): readonly string[] {
  const own = clusterContext(scope)?.cluster.name;
  return from.filter((name) => name !== own);
}

/** @internal The arguments that tell a controller of it; none where it takes over nothing. */
export function failoverArgs(scope: Construct, failover: ControllerFailover | undefined): readonly string[] {
  const own = clusterContext(scope)?.cluster.name;
  const from = failover === undefined ? [] : takenOverFrom(scope, failover);
  if (failover === undefined || from.length === 0 || own === undefined) return [];
  return [
    `--cluster-name=${own}`,
    `--failover-after=${seconds(failover.after)}s`,
    ...from.map((name) => `--failover-from=${name}`),
  ];
}

/** @internal What is wrong with it. */
export function* failoverProblems(
  scope: Construct,
  failover: ControllerFailover | undefined,
  reached: readonly string[],
): Generator<Problem> {
  if (failover === undefined) return;
  if (clusterContext(scope) === undefined)
    yield { path: 'failover', message: 'is set, but the app belongs to no fleet', fix: 'synthesize it from a Fleet' };
  if (seconds(failover.after) < 1)
    yield { path: 'failover.after', message: `must be at least a second, not ${failover.after.toIsoString()}` };
  for (const [index, name] of takenOverFrom(scope, failover).entries())
    if (!reached.includes(name))
      yield {
        path: `failover.from[${index}]`,
        message: `there is no access to the cluster ${show(name)}`,
        fix: suggest(name, reached) ?? 'give it in remoteClusters',
      };
}
