import type { EdgeKind } from '../graph/step-edges.ts';
import type { Topology, TopologyStep } from '../graph/topology.ts';
import type { Ledger } from './ledger.ts';
import { isFinal } from './phases.ts';
import type { StepReason } from './reasons.ts';
import type { StepRecord } from './record.ts';

/** What an upstream's end means for a step that comes after it. */
export type EdgeVerdict = 'Satisfied' | 'InputUnavailable' | 'UpstreamSkipped' | 'UpstreamFailed' | 'UpstreamCancelled';

/**
 * The truth table of edges.
 *
 * | upstream ended as | order | data with a default | data | its end |
 * |---|---|---|---|---|
 * | Succeeded | Satisfied | Satisfied | Satisfied | Satisfied |
 * | Skipped, its `when` was false or by hand | Satisfied | Satisfied | InputUnavailable | Satisfied |
 * | Skipped for another reason | UpstreamSkipped | UpstreamSkipped | UpstreamSkipped | Satisfied |
 * | Failed, with `continueOnFailure` | Satisfied | Satisfied | InputUnavailable | Satisfied |
 * | Failed | UpstreamFailed | UpstreamFailed | UpstreamFailed | Satisfied |
 * | Cancelled | UpstreamCancelled | UpstreamCancelled | UpstreamCancelled | Satisfied |
 */
export function edgeVerdict(upstream: StepRecord, continueOnFailure: boolean, edge: EdgeKind): EdgeVerdict {
  if (edge === 'end') return 'Satisfied';
  const withoutValues = edge === 'data' ? 'InputUnavailable' : 'Satisfied';
  switch (upstream.phase) {
    case 'Succeeded':
      return 'Satisfied';
    case 'Skipped':
      return upstream.reason === 'WhenFalse' || upstream.reason === 'SkippedByHand' ? withoutValues : 'UpstreamSkipped';
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

/** What all the upstreams together mean for a step; nothing when it may run. All of them must have ended, but for services. */
export function blockedBy(
  step: TopologyStep,
  topology: Topology,
  recordOf: (index: number) => StepRecord,
): Blocked | undefined {
  let worst: { verdict: EdgeVerdict; upstream: string; record: StepRecord } | undefined;
  for (const [index, edge] of step.edges) {
    const { node } = topology.steps[index]!;
    const record = recordOf(index);
    if (node.kind === 'service' && !isFinal(record.phase)) continue;
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

/** What the ends of its services mean for a step that was ready, or is an item of a map: why no attempt of it begins any more. */
export function forsakenBy(ledger: Ledger, index: number): Blocked | undefined {
  const step = ledger.step(ledger.items.mapOf(index) ?? index);
  return step.services.length === 0 ? undefined : blockedBy(step, ledger.topology, (upstream) => ledger.of(upstream));
}

function sentence(verdict: EdgeVerdict, upstream: string, record: StepRecord): string {
  if (verdict === 'UpstreamFailed') return `step ${upstream} failed`;
  if (verdict === 'UpstreamCancelled') return `step ${upstream} was cancelled`;
  if (verdict === 'UpstreamSkipped') return `step ${upstream} was skipped (${record.reason})`;
  const why = record.reason === 'SkippedByHand' ? 'it was skipped by hand' : 'its condition was false';
  return `step ${upstream} has no outputs: ${record.phase === 'Failed' ? 'it failed' : why}`;
}
