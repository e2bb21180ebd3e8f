import type { Observation } from '../../engine/advance.ts';
import type { Run } from '../../engine/run.ts';
import type { Attempts } from '../attempts/attempts.ts';
import type { Job, Pod } from '../objects.ts';
import type { RemoteChild } from '../remote/remote-watch.ts';

/** What a run that is taken up needs to be looked for. */
export interface Presence {
  readonly objects: Iterable<Pod | Job>;
  /** What there is on other clusters. */
  readonly elsewhere: Iterable<RemoteChild>;
  readonly attempts: Attempts;
  readonly run: Run;
  /** Whether it has a record. */
  readonly resumed: boolean;
}

/** What there is of a run's steps when it is taken up, and which of them are there no more. */
export function* present({ objects, elsewhere, attempts, run, resumed }: Presence): Generator<Observation> {
  const seen = new Set<string>();
  // Jobs first: a pod of theirs is only known as such by its Job.
  const here = [...objects]
    .sort((a, b) => (a.kind < b.kind ? -1 : 1))
    .map((object) => ({ object, cluster: undefined }));
  const there = [...elsewhere].map(({ job, cluster }) => ({ object: job, cluster }));
  for (const { object, cluster } of [...here, ...there]) {
    const observation = attempts.see(object, cluster);
    if (observation) yield observation;
    if (observation) seen.add(`${observation.step}/${observation.attempt}`);
  }
  if (!resumed) return;
  for (const { step, attempt, seen: wasSeen } of run.liveAttempts()) {
    const lost = wasSeen && !seen.has(`${step}/${attempt}`) ? attempts.lost(step, attempt) : undefined;
    if (lost) yield lost;
  }
}
