import type { AttemptState, Command } from '../../engine/advance.ts';
import { holeValues } from '../../engine/hole-values.ts';
import type { StepReason } from '../../engine/reasons.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { NewObject } from '../../kube/objects.ts';
import { runtimeTemplate, type RunLayers } from '../../pods/runtime-template.ts';
import type { ContainerStep, IndexedMapStep, RunStep } from '../../graph/graph.ts';
import { isOfRun, neverEnded, noAccess, placeName, resourceOf, type AttemptEntry } from './attempt-entry.ts';
import { attemptJob, attemptPod, type AttemptPlan } from './attempt-object.ts';
import { childRunJob, missingSource } from './child-run.ts';
import { runtimeJob } from './check-job.ts';
import { createVerdict } from './create-verdict.ts';
import { indexedJob, type IndexedJobPlan } from './indexed-job.ts';
import { createItems, itemConfigMaps } from './item-config-maps.ts';
import { shorten, type Job, type Pod } from '../objects.ts';
import { backoffMs, type WorkerContext } from '../worker-context.ts';

/** How long a name stays taken by the remains of a deleted run, between two looks. */
const PREDECESSOR_MS = 500;

/** What an attempt is started with. */
export type StartValues = Pick<Command & { readonly kind: 'start' }, 'inputs' | 'pod' | 'spot' | 'job' | 'items'>;

/** What a creator tells. */
export interface CreatorCallbacks {
  /** It exists: created, or found and ours. */
  readonly created: (entry: AttemptEntry, object: Pod | Job) => void;
  /** It does not exist yet and why, or never will. */
  readonly observed: (entry: AttemptEntry, state: AttemptState) => void;
}

/** Creates the attempts of one run: once each, however often it is interrupted. */
export class AttemptCreator {
  readonly #context: WorkerContext;
  readonly #run: () => Job;
  readonly #layers: RunLayers;
  readonly #callbacks: CreatorCallbacks;
  readonly #signal: AbortSignal;
  /** The steps of which it was told that they could not be created for now: once each, however many items or attempts they have. */
  readonly #warned = new Set<string>();

  constructor(
    context: WorkerContext,
    run: () => Job,
    layers: RunLayers,
    callbacks: CreatorCallbacks,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#run = run;
    this.#layers = layers;
    this.#callbacks = callbacks;
    this.#signal = signal;
  }

  /** Goes on until the attempt exists, is refused for good, or is stopped. Rejects only when the signal is aborted. */
  async create(entry: AttemptEntry, values: StartValues): Promise<void> {
    const { clock, timing, log, mode } = this.#context;
    if (entry.place === undefined) return this.#reject(entry, noAccess(entry, mode), 'NoClusterAccess');
    const startedAt = clock.monotonic();
    for (let failures = 1; ; failures++) {
      if (entry.created) return;
      if (entry.stopping)
        return this.#observed(entry, neverEnded(entry.step, clock.now(), 'it was stopped before it was created'));
      let wait = backoffMs(failures, timing.maxBackoffMs);
      try {
        return this.#callbacks.created(entry, await this.#post(entry, values));
      } catch (error) {
        this.#signal.throwIfAborted();
        if (entry.created) return;
        const verdict = createVerdict(error);
        log.debug('An attempt could not be created', { object: entry.name, verdict: verdict.kind, error });
        if (verdict.kind === 'exists') {
          const taken = await this.#existing(entry);
          if (taken === undefined) return;
          this.#waits(entry, taken);
          wait = PREDECESSOR_MS;
        } else if (verdict.kind === 'rejected') {
          return this.#reject(entry, `${placeName(entry)}${verdict.message}`, verdict.reason);
        } else if (verdict.kind === 'missing' && clock.monotonic() - startedAt >= timing.missingMs) {
          const what = (entry.step.kind === 'run' && missingSource(entry.step, error)) || verdict.message;
          return this.#reject(entry, `${what}, also after ${timing.missingMs / 1000} s`);
        } else {
          if (verdict.kind === 'missing' || verdict.refused) this.#warn(entry, verdict.message);
          this.#waits(entry, entry.place.elsewhere?.trouble ?? `${placeName(entry)}${verdict.message}`);
        }
      }
      await clock.sleep(wait, AbortSignal.any([this.#signal, entry.wake.signal])).catch(() => undefined);
      this.#signal.throwIfAborted();
    }
  }

  async #post(entry: AttemptEntry, values: StartValues): Promise<Pod | Job> {
    const { clock, metrics } = this.#context;
    const { step, place } = entry;
    const object =
      step.kind === 'run' ? await this.#childRun(step, entry, values) : await this.#workload(step, entry, values);
    const startedAt = clock.monotonic();
    const created = await place!.client.create<Pod | Job>(resourceOf(step), object, { signal: this.#signal });
    metrics.created(clock.monotonic() - startedAt);
    return created;
  }

  #childRun(step: RunStep, { name, attempt, place }: AttemptEntry, { inputs }: StartValues): Promise<NewObject> {
    const { client, mode } = this.#context;
    const [run, signal] = [this.#run(), this.#signal];
    return childRunJob({ client, place: place!, run, mode, step, name, attempt, inputs, signal });
  }

  async #workload(
    step: ContainerStep | IndexedMapStep,
    { graphStep, attempt }: AttemptEntry,
    { inputs, pod, spot, job, items }: StartValues,
  ): Promise<NewObject> {
    const { graphs, mode } = this.#context;
    const run = this.#run();
    const synthesized = await graphs.template(run.metadata.namespace!, step.template);
    const { spot: nodes, ...layers } = this.#layers;
    const runLayers = { ...layers, ...(spot && { spot: nodes }) };
    const template = runtimeTemplate(graphStep, synthesized, runLayers, holeValues(step, pod));
    const around =
      step.runAs === 'Job'
        ? runtimeJob(step, graphStep, { job, policy: synthesized.jobPolicy }, this.#layers)
        : undefined;
    const plan: AttemptPlan = { run, mode, step, attempt, inputs, template, ...(around && { job: around }) };
    if (step.kind === 'indexedMap') return this.#indexedJob({ ...plan, step, items: items! });
    return step.runAs === 'Job' ? attemptJob(plan) : attemptPod(plan);
  }

  /** Its pods wait for the values of its items, so those are there before it. */
  async #indexedJob(plan: Omit<IndexedJobPlan, 'configMaps'>): Promise<NewObject> {
    const values = itemConfigMaps(plan, plan.items);
    const job = indexedJob({ ...plan, configMaps: values.map(({ metadata }) => metadata!.name!) });
    await createItems(this.#context.client, plan.run, values, this.#signal);
    return job;
  }

  /** Takes over an object of that name if it is this run's own. Otherwise says what stands in the way for now. */
  async #existing(entry: AttemptEntry): Promise<string | undefined> {
    const { client, namespace } = entry.place!;
    const { metadata } = this.#run();
    let found: Pod | Job;
    try {
      found = await client.get<Pod | Job>(resourceOf(entry.step), entry.name, { namespace, signal: this.#signal });
    } catch (error) {
      this.#signal.throwIfAborted();
      return isNotFound(error) ? 'its name was taken until now' : (error as Error).message;
    }
    if (isOfRun(entry, found, metadata.uid!)) {
      this.#callbacks.created(entry, found);
      return undefined;
    }
    const [owner] = found.metadata.ownerReferences ?? [];
    if (owner?.kind === 'Job' && owner.name === metadata.name)
      return `waits until the ${found.kind} of the deleted run of the same name is gone`;
    const whose = owner ? `belongs to ${owner.kind} ${owner.name}` : 'belongs to nobody';
    this.#reject(entry, `${found.kind} ${entry.name} exists already and ${whose}`);
    return undefined;
  }

  /** It is not there yet: whoever takes the run up again must not miss it, but create it. */
  #waits(entry: AttemptEntry, message: string): void {
    this.#observed(entry, { kind: 'unseen', message });
  }

  /** As Kubernetes tells it of the pods of a Job. (pkg/controller/controller_utils.go: FailedCreatePodReason) */
  #warn({ graphStep, name }: AttemptEntry, message: string): void {
    if (this.#warned.has(graphStep)) return;
    this.#warned.add(graphStep);
    const note = `Step ${graphStep} waits, as ${name} cannot be created: ${message}`;
    this.#context.tell(this.#run(), { type: 'Warning', reason: 'FailedCreate', message: shorten(note, 1000) });
  }

  #reject(entry: AttemptEntry, message: string, reason: StepReason = 'Rejected'): void {
    const finishedAt = this.#context.clock.now();
    this.#observed(entry, { kind: 'failed', failure: 'permanent', reason, message, finishedAt });
  }

  #observed(entry: AttemptEntry, state: AttemptState): void {
    this.#callbacks.observed(entry, state);
  }
}
