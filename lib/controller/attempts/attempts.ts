import type { AttemptObservation, AttemptState, Observation } from '../../engine/advance.ts';
import type { StepReason } from '../../engine/reasons.ts';
import type { Topology } from '../../graph/topology.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { RunLayers } from '../../pods/runtime-template.ts';
import { AttemptCreator, type StartValues } from './attempt-creator.ts';
import {
  isJob,
  isOfRun,
  isOlder,
  lostTime,
  neverEnded,
  nounOf,
  objectOf,
  resourceOf,
  type AttemptEntry,
} from './attempt-entry.ts';
import { absentState, sightState } from './attempt-place.ts';
import { AttemptStopper } from './attempt-stopper.ts';
import { AttemptTable } from './attempt-table.ts';
import { endedJobState, mustBeAsked, seenJobState } from './attempt-job-state.ts';
import { seeItem } from './indexed-job-state.ts';
import { isOwnedBy, type Job, type Pod } from '../objects.ts';
import { attemptState, deletedState, hasLeftovers } from './pod-status.ts';
import { livelierPod } from './step-job-status.ts';
import type { WorkerContext } from '../worker-context.ts';

/** What {@link Attempts} needs to know of its run. */
export interface AttemptsOptions {
  readonly context: WorkerContext;
  /** The run's Job as last seen. */
  readonly run: () => Job;
  readonly topology: Topology;
  /** What the run changes of its pods. */
  readonly layers: RunLayers;
  /** Called with what was seen, never while it is being told. */
  readonly observe: (observations: readonly Observation[]) => void;
  readonly signal: AbortSignal;
}

/** The attempts of one run as objects on the cluster: created, watched, stopped. */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #creator: AttemptCreator;
  readonly #stopper: AttemptStopper;
  readonly #entries: AttemptTable;
  readonly #stops = new Set<Promise<void>>();
  readonly #leftovers = new Set<AttemptEntry>();

  constructor(options: AttemptsOptions) {
    const { context, run, topology, layers, signal } = options;
    this.#options = options;
    this.#entries = new AttemptTable(topology, run, context);
    const created = (entry: AttemptEntry, object: Pod | Job) => this.#heard(entry, object);
    const observed = (entry: AttemptEntry, state: AttemptState) => this.#tell(entry, state);
    this.#creator = new AttemptCreator(context, run, layers, { created, observed }, signal);
    this.#stopper = new AttemptStopper(context, run, (entry) => this.#gone(entry), signal);
  }

  /** Creates an attempt, unless it was seen already. */
  start(stepName: string, attempt: number, values: StartValues): void {
    const entry = this.#entries.of(stepName, attempt);
    if (!entry || entry.created || entry.begun) return;
    entry.begun = true;
    this.#prefetch(stepName);
    this.#background(this.#creator.create(entry, values));
  }

  /** Ends an attempt; its end is observed. */
  stop(stepName: string, attempt: number, reason: StepReason): void {
    const entry = this.#entries.of(stepName, attempt);
    if (!entry) return;
    entry.stopping = reason;
    entry.wake.abort();
    if (entry.created) this.#stop(entry);
    else if (!entry.begun) {
      const state = absentState(entry, this.#options.context, 'there is no such object');
      if (state) this.#tell(entry, state);
    }
  }

  /**
   * Takes in an object that may be of this run, and gives what is new about an attempt.
   *
   * @param cluster the one that it is on; left out for that of the run
   */
  see(object: Pod | Job, cluster?: string): AttemptObservation | undefined {
    const entry = this.#entries.ofObject(object);
    if (!entry || !this.#isOwn(entry, object, cluster)) return undefined;
    const known = object.kind === 'Job' ? entry.job : entry.pod;
    if (known && known.metadata.uid === object.metadata.uid && isOlder(object, known)) return undefined;
    return this.#take(entry, object);
  }

  /** Takes in that an object is gone; this is its last state. */
  seeDeleted(object: Pod | Job, cluster?: string): Observation | undefined {
    const { clock } = this.#options.context;
    const entry = this.#entries.knownObject(object);
    if (entry && object.kind === 'Pod' && this.#isOwn(entry, object, cluster)) this.#note(entry, object as Pod);
    // The pod of a Job is the Job's business.
    if (!entry || object.kind !== resourceOf(entry.step).kind || !this.#isOwn(entry, object, cluster)) return undefined;
    const known = objectOf(entry);
    if (known && known.metadata.uid !== object.metadata.uid) return undefined;
    const state =
      object.kind === 'Pod'
        ? deletedState(object as Pod, clock.now())
        : this.#neverEnded(entry, 'its Job was deleted before its end was seen');
    return this.#observation(entry, state);
  }

  /** Looks up what was created and not heard of for long, in case the watch missed its whole life. */
  async audit(): Promise<void> {
    const { clock, timing } = this.#options.context;
    for (const entry of this.#entries) {
      if (!entry.created || clock.monotonic() - entry.heardAt < timing.auditMs) continue;
      entry.heardAt = clock.monotonic();
      try {
        const { client, namespace } = entry.place!;
        const options = { namespace, signal: this.#options.signal };
        const found = await client.get<Pod | Job>(resourceOf(entry.step), entry.name, options);
        if (found.metadata.uid !== objectOf(entry)?.metadata.uid) this.#gone(entry);
        // Nothing new is heard of a finished Job: asking for its end has failed before.
        else if (isJob(entry.step) && mustBeAsked(entry)) this.#background(this.#ask(entry));
        else this.#heard(entry, found);
      } catch (error) {
        if (isNotFound(error)) this.#gone(entry);
      }
    }
  }

  /** Ends containers that outlived the main one. To be called when the end of the main one is written down. */
  stopLeftovers(): void {
    for (const entry of this.#leftovers) this.#stop(entry);
    this.#leftovers.clear();
  }

  /** When a pod that does not go away must be looked at again. */
  get lookAgainAt(): number | undefined {
    return this.#entries.lookAgainAt;
  }

  /** What the pods that are being deleted say by now. */
  lookAgain(): Observation[] {
    const { clock } = this.#options.context;
    const deleted = [...this.#entries].filter((entry) => lostTime(entry) <= clock.now());
    return deleted.map((entry) => this.#observation(entry, attemptState(entry.pod!, clock.now())));
  }

  /** Says again to the runs that are being stopped that they are to end: it may have become more urgent. */
  hasten(): void {
    for (const entry of this.#entries)
      if (entry.step.kind === 'run' && entry.created && entry.stopping) this.#stop(entry);
  }

  /** The end of an attempt that was there once, or that nobody can look for it; nothing when it still is, or may be. */
  lost(stepName: string, attempt: number): Observation | undefined {
    const entry = this.#entries.of(stepName, attempt);
    return entry && this.#missed(entry);
  }

  /** What can be said of the attempts on a cluster since it could be looked at, or no more. */
  sight(cluster: string): Observation[] {
    const there = [...this.#entries].filter(({ place }) => place?.elsewhere?.cluster === cluster);
    return there.flatMap((entry) => {
      const state = entry.created && sightState(entry, this.#options.context);
      return (state ? this.#observation(entry, state) : this.#missed(entry)) ?? [];
    });
  }

  /** Resolves when every stop that was asked for has reached the API server. */
  async stopped(): Promise<void> {
    while (this.#stops.size > 0) await Promise.all(this.#stops);
  }

  get #run(): Job {
    return this.#options.run();
  }

  #isOwn(entry: AttemptEntry, object: Pod | Job, cluster: string | undefined): boolean {
    if (entry.place?.elsewhere?.cluster !== cluster) return false;
    if (object.kind === resourceOf(entry.step).kind) return isOfRun(entry, object, this.#run.metadata.uid!);
    // The watch of pods may be ahead of that of Jobs.
    if (!entry.job) return object.metadata.ownerReferences?.some(({ name }) => name === entry.name) ?? false;
    return isOwnedBy(object, entry.job.metadata.uid!);
  }

  #take(entry: AttemptEntry, object: Pod | Job): AttemptObservation | undefined {
    const { clock } = this.#options.context;
    const first = !entry.created;
    if (object.kind === 'Job') entry.job = object as Job;
    else entry.pod = isJob(entry.step) ? livelierPod(entry.pod, object as Pod, clock.now()) : (object as Pod);
    if (object.kind === 'Pod') this.#note(entry, object as Pod);
    if (objectOf(entry) === undefined) return undefined;
    entry.created = true;
    entry.heardAt = clock.monotonic();
    entry.wake.abort();
    if (first && entry.stopping) this.#stop(entry);
    if (!isJob(entry.step)) return this.#observation(entry, attemptState(entry.pod!, clock.now()));
    if (mustBeAsked(entry)) {
      this.#background(this.#ask(entry));
      return undefined;
    }
    return this.#observation(entry, seenJobState(entry, clock.now()));
  }

  #missed(entry: AttemptEntry): Observation | undefined {
    if (entry.created || entry.begun) return undefined;
    const message = `the ${nounOf(entry.step)} was deleted while no controller was running`;
    const state = absentState(entry, this.#options.context, message);
    return state && this.#observation(entry, state);
  }

  /** What the pods of an indexed map gave is kept from when it was seen: they may be gone by the end of the Job. */
  #note(entry: AttemptEntry, pod: Pod): void {
    if (entry.step.kind !== 'indexedMap') return;
    entry.seen ??= new Map();
    seeItem(entry.seen, pod, this.#options.context.clock.now());
  }

  /** Once at a time: the many pods of an indexed map are seen one by one. */
  async #ask(entry: AttemptEntry): Promise<void> {
    if (entry.asked) return;
    entry.asked = true;
    try {
      this.#tell(entry, await endedJobState(this.#options.context, entry, this.#options.signal));
    } finally {
      entry.asked = false;
    }
  }

  #observation(entry: AttemptEntry, state: AttemptState): AttemptObservation {
    if (state.kind === 'succeeded' || state.kind === 'failed') {
      if (entry.pod && !isJob(entry.step) && hasLeftovers(entry.pod)) this.#leftovers.add(entry);
      this.#entries.drop(entry);
    }
    return { step: entry.step.name, attempt: entry.attempt, state };
  }

  #tell(entry: AttemptEntry, state: AttemptState): void {
    this.#options.observe([this.#observation(entry, state)]);
  }

  #heard(entry: AttemptEntry, object: Pod | Job): void {
    const known = objectOf(entry);
    // The watch may have been faster than the answer.
    if (known?.metadata.uid === object.metadata.uid && !isOlder(known!, object)) return;
    const observation = this.#take(entry, object);
    if (observation) this.#options.observe([observation]);
  }

  #gone(entry: AttemptEntry): void {
    const { clock } = this.#options.context;
    const message = `the ${nounOf(entry.step)} was deleted before its end was seen`;
    this.#tell(entry, entry.pod ? deletedState(entry.pod, clock.now()) : this.#neverEnded(entry, message));
  }

  #neverEnded({ step }: AttemptEntry, message: string): AttemptState {
    return neverEnded(step, this.#options.context.clock.now(), message);
  }

  #stop(entry: AttemptEntry): void {
    const stop = this.#stopper.stop(entry).catch((error: unknown) => this.#report(error));
    this.#stops.add(stop);
    void stop.finally(() => this.#stops.delete(stop));
  }

  /** Reads the templates of the steps that come next, so that none of them waits for its own. */
  #prefetch(stepName: string): void {
    const { topology, context } = this.#options;
    const { namespace } = this.#run.metadata;
    for (const next of topology.byName.get(stepName)?.downstreams ?? []) {
      const { node } = topology.steps[next]!;
      if ('template' in node) context.graphs.template(namespace!, node.template).catch(() => undefined);
    }
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => this.#report(error));
  }

  #report(error: unknown): void {
    if (!this.#options.signal.aborted) this.#options.context.log.error('An attempt could not be handled', { error });
  }
}
