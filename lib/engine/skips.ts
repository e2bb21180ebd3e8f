import { withMembers, type Topology } from '../graph/topology.ts';
import { skipPrefix } from '../graph/labels.ts';
import { suggest, type Problem } from '../values/problems.ts';
import { ended } from './phases.ts';
import type { StepRecord } from './record.ts';
import type { Turn } from './turn.ts';

/** The steps that were skipped by hand, with why, in words; the text may be empty. */
export type SkipsByHand = Readonly<Record<string, string>>;

/** The steps that annotations of a run's Job skip, and what is wrong with them. */
export function readSkips(
  annotations: Readonly<Record<string, string>>,
  { steps, byName }: Topology,
): { readonly skips: SkipsByHand; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const skips: [string, string][] = [];
  for (const [path, why] of Object.entries(annotations)) {
    if (!path.startsWith(skipPrefix)) continue;
    const step = path.slice(skipPrefix.length);
    if (!byName.has(step)) {
      const near = suggest(
        step,
        steps.map(({ node }) => node.name),
      );
      problems.push({ path, message: 'is about no step of the workflow', ...(near && { fix: near }) });
    } else if (why === 'false')
      problems.push({ path, message: 'is "false"', fix: 'take it away, or say why the step is skipped' });
    else skips.push([step, why]);
  }
  return { skips: Object.fromEntries(skips), problems };
}

/** What is wrong with skipping steps that have begun or ended. */
export function lateSkips(skips: SkipsByHand, stepOf: (name: string) => StepRecord): Problem[] {
  return Object.keys(skips).flatMap((step) => {
    const { phase, reason } = stepOf(step);
    if (phase === 'Pending' || phase === 'Waiting' || reason === 'SkippedByHand') return [];
    return [{ path: `${skipPrefix}${step}`, message: `comes too late: the step is ${phase}, and is left alone` }];
  });
}

/** Skips steps on request. One that runs is left alone, unless it comes to wait again. */
export class Skips {
  #asked: SkipsByHand | undefined;
  /** Those that have not ended, each with why. */
  #open: readonly (readonly [step: number, why: string])[] = [];

  /** @param hasBegun whether an attempt of a step was seen that the record does not have yet */
  apply({ spec, ledger, now }: Turn, hasBegun: (index: number) => boolean): void {
    if (spec.skips !== this.#asked) {
      this.#asked = spec.skips;
      const { byName } = ledger.topology;
      this.#open = Object.entries(spec.skips ?? {}).flatMap(([name, why]) =>
        withMembers(byName, name).flatMap((step) => {
          const index = byName.get(step)?.index;
          return index === undefined ? [] : [[index, why] as const];
        }),
      );
    }
    if (this.#open.length === 0) return;
    this.#open = this.#open.filter(([index, why]) => {
      const record = ledger.of(index);
      if (record.phase === 'Running' || hasBegun(index)) return true;
      if (record.phase !== 'Pending' && record.phase !== 'Waiting') return false;
      const message = why ? `skipped by hand: ${why}` : 'skipped by hand';
      ledger.put(index, ended(record, { phase: 'Skipped', reason: 'SkippedByHand', message }, now));
      return false;
    });
  }
}
