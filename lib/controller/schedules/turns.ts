import { annotations } from '../../graph/labels.ts';
import type { SkippedRun } from '../../graph/plan-record.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { EventNote } from '../../kube/events.ts';
import { keyOf, type KubeObject } from '../../kube/objects.ts';
import { jobs } from '../../kube/resources.ts';
import { scheduledAt } from '../../runs/run-kinds.ts';
import { Backfills, isBackfilled } from './backfills.ts';
import type { Logger } from '../log.ts';
import type { Job } from '../objects.ts';
import { hasTurn, inTurn, planNameOf, planOf, turnOf, type Turn } from './turn-rules.ts';
import type { RunClient } from '../worker-context.ts';

/** What {@link Turns} act through. */
export interface TurnsOptions {
  readonly client: RunClient;
  readonly log: Logger;
  readonly tell: (object: KubeObject, note: EventNote) => void;
  /** Notes that a run was skipped. */
  readonly skipped: (plan: KubeObject, run: SkippedRun) => void;
  /** Whether something of the run was started, though its Job does not say so. */
  readonly hasBegun: (job: Job) => boolean;
}

/**
 * Lets the runs of a plan begin when it is their turn: one after the other where the plan says so, and not outside of its dates. Those of a
 * backfill take turns among themselves, so that the plan goes on to fire meanwhile.
 */
export class Turns {
  readonly #options: TurnsOptions;
  /** The open runs of each plan, by their keys. */
  readonly #plans = new Map<string, Map<string, Job>>();
  /** Runs that began here, or were told of or deleted, by uid. */
  readonly #begun = new Set<string>();
  readonly #told = new Set<string>();
  readonly #leaving = new Set<string>();
  readonly #backfills: Backfills;

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#backfills = new Backfills((job) => this.#hasBegun(job));
  }

  /** An open run was seen. */
  put(job: Job): void {
    if (isBackfilled(job)) return this.#backfills.put(job);
    if (!hasTurn(job)) return;
    const plan = planOf(job);
    const runs = this.#plans.get(plan) ?? new Map<string, Job>();
    this.#plans.set(plan, runs.set(keyOf(job), job));
  }

  /** A run has ended or is gone. Gives those that may be next. */
  remove(job: Job): readonly Job[] {
    if (isBackfilled(job)) return this.#backfills.remove(job);
    const runs = this.#plans.get(planOf(job));
    const known = runs?.get(keyOf(job));
    if (runs === undefined || known?.metadata.uid !== job.metadata.uid) return [];
    runs.delete(keyOf(job));
    if (runs.size === 0) this.#plans.delete(planOf(job));
    for (const set of [this.#begun, this.#told, this.#leaving]) set.delete(job.metadata.uid ?? '');
    return [...runs.values()].filter((each) => !this.#hasBegun(each)).sort(inTurn);
  }

  /** Whether a run may begin now. One that may not waits, or is deleted, which is told on its plan. */
  admits(job: Job): boolean {
    const { uid = '' } = job.metadata;
    // One that is cancelled begins to end.
    const cancelled = job.metadata.annotations?.[annotations.cancel] !== undefined;
    if (cancelled) return true;
    if (isBackfilled(job)) return this.#backfills.admits(job);
    if (!hasTurn(job) || this.#hasBegun(job)) return true;
    if (this.#leaving.has(uid)) return false;
    const turn = turnOf(job, this.#before(job));
    if (turn.kind === 'begin') this.#begun.add(uid);
    if (turn.kind === 'skip') void this.#skip(job, turn);
    if (turn.kind === 'wait' || turn.kind === 'replace') this.#tellWaiting(job, turn.runs);
    if (turn.kind === 'replace') for (const run of turn.runs) void this.#cancel(run, job);
    return turn.kind === 'begin';
  }

  #before(job: Job): readonly Job[] {
    const others = [...(this.#plans.get(planOf(job))?.values() ?? [])].filter(
      ({ metadata }) => metadata.uid !== job.metadata.uid && !this.#leaving.has(metadata.uid ?? ''),
    );
    const began = others.filter((each) => this.#hasBegun(each));
    const first = others.filter((each) => !this.#hasBegun(each) && inTurn(each, job) < 0);
    return [...began.sort(inTurn), ...first.sort(inTurn)];
  }

  #hasBegun(job: Job): boolean {
    return (
      this.#begun.has(job.metadata.uid ?? '') || job.status?.startTime !== undefined || this.#options.hasBegun(job)
    );
  }

  #tellWaiting(job: Job, runs: readonly Job[]): void {
    const { uid = '' } = job.metadata;
    if (this.#told.has(uid)) return;
    this.#told.add(uid);
    const [first, ...others] = runs.map(({ metadata }) => metadata.name);
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    this.#options.tell(job, { reason: 'RunQueued', message: `Waits for ${first}${more} of the same plan` });
  }

  /** A run that never begins would only be in the way of those that the plan keeps: it is told on the plan, and deleted. */
  async #skip(job: Job, { reason, why }: Turn & { readonly kind: 'skip' }): Promise<void> {
    const { name, namespace, uid = '' } = job.metadata;
    const { client, log, tell, skipped } = this.#options;
    this.#leaving.add(uid);
    const time = scheduledAt(job)!;
    try {
      await client.delete(jobs, name, { namespace, uid, propagationPolicy: 'Background' });
      const message = `Skipped the run of ${new Date(time).toISOString()}: ${why}`;
      tell(planObject(job), { reason: 'RunSkipped', message });
      skipped(planObject(job), { name, time, reason, message: why });
    } catch (error) {
      this.#leaving.delete(uid);
      if (!isNotFound(error)) log.warn('A run that is skipped could not be deleted', { run: name, error });
    }
  }

  async #cancel(run: Job, by: Job): Promise<void> {
    const { name, namespace, uid = '' } = run.metadata;
    if (this.#told.has(`${uid} replaced`) || run.metadata.annotations?.[annotations.cancel] !== undefined) return;
    this.#told.add(`${uid} replaced`);
    try {
      const patch = { metadata: { uid, annotations: { [annotations.cancel]: 'Now' } } };
      await this.#options.client.patch(jobs, name, patch, { type: 'merge', namespace, repeatable: true });
      this.#options.tell(run, { reason: 'RunReplaced', message: `Is replaced by ${by.metadata.name}` });
    } catch (error) {
      this.#told.delete(`${uid} replaced`);
      if (!isNotFound(error)) this.#options.log.warn('A run could not be replaced', { run: name, error });
    }
  }
}

/** The CronJob that made a run, as an Event names it, with the labels that both have. */
function planObject(job: Job): KubeObject {
  const { metadata } = job;
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'CronJob');
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: {
      name: owner?.name ?? planNameOf(job),
      namespace: metadata.namespace,
      ...(metadata.labels && { labels: metadata.labels }),
      ...(owner && { uid: owner.uid }),
    },
  };
}
