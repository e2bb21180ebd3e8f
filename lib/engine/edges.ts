import { stepOutputs, stepSources } from '../graph/sources.ts';
import type { StepNode } from '../graph/graph.ts';
import type { Topology, TopologyStep } from '../graph/topology.ts';
import type { StepReason } from './reasons.ts';
import type { StepRecord } from './record.ts';

/** What an upstream's end means for a step that comes after it. */
export type EdgeVerdict = 'Satisfied' | 'InputUnavailable' | 'UpstreamSkipped' | 'UpstreamFailed' | 'UpstreamCancelled';

/** Whether a step only comes after another, takes values that have a default, or cannot do without its values. */
export type EdgeKind = 'order' | 'data-with-default' | 'data';

/**
 * The truth table of edges.
 *
 * | upstream ended as | order | data with a default | data |
 * |---|---|---|---|
 * | Succeeded | Satisfied | Satisfied | Satisfied |
 * | Skipped, its `when` was false | Satisfied | Satisfied | InputUnavailable |
 * | Skipped for another reason | UpstreamSkipped | UpstreamSkipped | UpstreamSkipped |
 * | Failed, with `continueOnFailure` | Satisfied | Satisfied | InputUnavailable |
 * | Failed | UpstreamFailed | UpstreamFailed | UpstreamFailed |
 * | Cancelled | UpstreamCancelled | UpstreamCancelled | UpstreamCancelled |
 */
export function edgeVerdict(upstream: StepRecord, continueOnFailure: boolean, edge: EdgeKind): EdgeVerdict {
  const withoutValues = edge === 'data' ? 'InputUnavailable' : 'Satisfied';
  switch (upstream.phase) {
    case 'Succeeded':
      return 'Satisfied';
    case 'Skipped':
      return upstream.reason === 'WhenFalse' ? withoutValues : 'UpstreamSkipped';
    case 'Failed':
      return continueOnFailure ? withoutValues : 'UpstreamFailed';
    case 'Cancelled':
      return 'UpstreamCancelled';
    default:
      throw new Error(`an edge was looked at before its upstream ended: it is ${upstream.phase}`);
  }
}

/** The end of a step that its upstreams keep from running. */
export interface Blocked {
  readonly phase: 'Skipped' | 'Cancelled';
  readonly reason: StepReason;
  readonly message: string;
}

// Where several apply, the last one counts.
const precedence: readonly EdgeVerdict[] = [
  'Satisfied',
  'InputUnavailable',
  'UpstreamSkipped',
  'UpstreamFailed',
  'UpstreamCancelled',
];

/** What all the upstreams together mean for a step; nothing when it may run. All of them must have ended. */
export function blockedBy(
  step: TopologyStep,
  topology: Topology,
  recordOf: (index: number) => StepRecord,
): Blocked | undefined {
  const demanded = demandedSteps(step.node);
  let worst: { verdict: EdgeVerdict; upstream: string; record: StepRecord } | undefined;
  for (const index of step.upstreams) {
    const { node } = topology.steps[index]!;
    const edge = !step.data.has(index) ? 'order' : demanded.has(node.name) ? 'data' : 'data-with-default';
    const record = recordOf(index);
    const verdict = edgeVerdict(record, node.continueOnFailure ?? false, edge);
    if (precedence.indexOf(verdict) > precedence.indexOf(worst?.verdict ?? 'Satisfied'))
      worst = { verdict, upstream: node.name, record };
  }
  if (worst === undefined || worst.verdict === 'Satisfied') return undefined;
  const { verdict, upstream, record } = worst;
  return {
    phase: verdict === 'UpstreamCancelled' ? 'Cancelled' : 'Skipped',
    reason: verdict,
    message: sentence(verdict, upstream, record),
  };
}

/** The steps whose values a step cannot do without: one of its references has no default, or its condition reads them. */
function demandedSteps(node: StepNode): Set<string> {
  const steps = new Set(node.when?.steps);
  for (const source of stepSources(node))
    for (const { step, optional } of stepOutputs(source)) if (!optional) steps.add(step);
  return steps;
}

function sentence(verdict: EdgeVerdict, upstream: string, record: StepRecord): string {
  if (verdict === 'UpstreamFailed') return `step ${upstream} failed`;
  if (verdict === 'UpstreamCancelled') return `step ${upstream} was cancelled`;
  if (verdict === 'UpstreamSkipped') return `step ${upstream} was skipped (${record.reason})`;
  return `step ${upstream} has no outputs: ${record.phase === 'Failed' ? 'it failed' : 'its condition was false'}`;
}
