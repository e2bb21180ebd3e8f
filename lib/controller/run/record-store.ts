import { createHash } from 'node:crypto';
import { decodeRecord, type RecordForm } from '../../engine/codec.ts';
import { changedData, readRecordData } from '../../engine/record-data.ts';
import type { Decision } from '../../engine/advance.ts';
import type { RunRecord } from '../../engine/record.ts';
import { CONTENT_RECORD, labels } from '../../graph/labels.ts';
import { recordName } from '../../graph/object-names.ts';
import { isAlreadyExists, isConflict, isNotFound, isRetryable } from '../../kube/errors.ts';
import { configMaps } from '../../kube/resources.ts';
import { InvalidError } from '../../values/problems.ts';
import { ownerReference, runLabels } from '../attempts/attempt-object.ts';
import { Coalescer } from '../coalescer.ts';
import { isOwnedBy, type ConfigMap, type Job } from '../objects.ts';
import { backoffMs, type WorkerContext } from '../worker-context.ts';

/** Thrown when somebody else wrote to the record: this worker knows less than what is written there. */
export class DeposedError extends Error {
  override readonly name = 'DeposedError';
}

/** Thrown when the ConfigMap of that name belongs to a run that was deleted; it goes soon. */
export class PredecessorError extends Error {
  override readonly name = 'PredecessorError';
}

/** The ConfigMap that keeps one run's record. Only what changed is written, in one patch at a time that names the version it is about. */
export class RecordStore {
  readonly #context: WorkerContext;
  readonly #run: Job;
  readonly #signal: AbortSignal;
  readonly #coalescer: Coalescer;
  readonly #pending = new Map<string, string>();
  /** Of what is there as far as we know, to tell our own writing from another's. */
  readonly #digests = new Map<string, string>();
  #version: string | undefined;

  /** @param onFailure the record cannot be written any more: {@link DeposedError}, or a refusal that stays */
  constructor(context: WorkerContext, run: Job, onFailure: (error: unknown) => void, signal: AbortSignal) {
    this.#context = context;
    this.#run = run;
    this.#signal = signal;
    const { clock, timing } = context;
    this.#coalescer = new Coalescer({ work: () => this.#write(), gapMs: timing.recordGapMs, clock, signal, onFailure });
  }

  /**
   * The record as it is on the cluster; nothing when the run has none yet.
   *
   * @throws InvalidError when it makes no sense
   * @throws PredecessorError when it is not this run's
   */
  async read(): Promise<RunRecord | undefined> {
    const found = await this.#get();
    if (!found) return undefined;
    if (!isOwnedBy(found, this.#run.metadata.uid!))
      throw new PredecessorError(`ConfigMap ${found.metadata.name} belongs to another run of the same name`);
    const decoded = decodeRecord(readRecordData(found.data ?? {}));
    if ('problems' in decoded)
      throw new InvalidError(`The record ${found.metadata.name} cannot be read`, decoded.problems);
    this.#adopt(found);
    return decoded.record;
  }

  /** Notes what changed; it is written soon. */
  put(decision: Pick<Decision, 'run' | 'steps' | 'items'>, form: RecordForm = 'full'): void {
    for (const [key, text] of changedData(decision, form)) this.#pending.set(key, text);
    if (this.#pending.size > 0) this.#coalescer.request();
  }

  /** Resolves when all that was noted is written. */
  flush(): Promise<void> {
    return this.#coalescer.flush();
  }

  async #write(): Promise<void> {
    const { clock, timing, metrics, log } = this.#context;
    const changes = Object.fromEntries(this.#pending);
    this.#pending.clear();
    for (let failures = 1; ; failures++) {
      try {
        const written = await this.#send(changes);
        this.#version = written.metadata.resourceVersion;
        for (const [key, text] of Object.entries(changes)) this.#digests.set(key, digest(text));
        return metrics.recordWritten();
      } catch (error) {
        this.#signal.throwIfAborted();
        if (isConflict(error) || isAlreadyExists(error) || isNotFound(error)) await this.#reconcile(changes);
        else if (!isRetryable(error)) throw error;
        log.debug('The record could not be written', { error });
        await clock.sleep(backoffMs(failures, timing.maxBackoffMs), this.#signal);
      }
    }
  }

  #send(changes: Readonly<Record<string, string>>): Promise<ConfigMap> {
    const { client, mode } = this.#context;
    const { name, namespace } = this.#run.metadata;
    const options = { namespace, signal: this.#signal };
    if (this.#version !== undefined) {
      const patch = { metadata: { resourceVersion: this.#version }, data: changes };
      return client.patch<ConfigMap>(configMaps, recordName(name), patch, { ...options, type: 'merge' });
    }
    const record: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: recordName(name),
        namespace,
        labels: { ...runLabels(this.#run), [labels.content]: CONTENT_RECORD },
        ownerReferences: [ownerReference(this.#run, mode)],
      },
      data: changes,
    };
    return client.create<ConfigMap>(configMaps, record, options);
  }

  /**
   * After a refusal: was it our own writing, whose answer was lost, or a change that leaves what we wrote as it was? Then
   * go on from there.
   */
  async #reconcile(changes: Readonly<Record<string, string>>): Promise<void> {
    const found = await this.#get().catch(() => null);
    if (found === null) return;
    if (found === undefined) {
      if (this.#version !== undefined) throw new DeposedError('The record was deleted');
      return;
    }
    if (!isOwnedBy(found, this.#run.metadata.uid!)) {
      if (this.#version !== undefined) throw new DeposedError('The record belongs to another run');
      return;
    }
    const data = found.data ?? {};
    const known = ([key, text]: [string, string]) => digest(text) === this.#digests.get(key) || text === changes[key];
    const lost = [...this.#digests.keys()].some((key) => !Object.hasOwn(data, key));
    if (lost || !Object.entries(data).every(known)) throw new DeposedError('The record was changed by somebody else');
    this.#version = found.metadata.resourceVersion;
  }

  async #get(): Promise<ConfigMap | undefined> {
    const { name, namespace } = this.#run.metadata;
    try {
      return await this.#context.client.get<ConfigMap>(configMaps, recordName(name), {
        namespace,
        signal: this.#signal,
      });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #adopt({ metadata, data = {} }: ConfigMap): void {
    this.#version = metadata.resourceVersion;
    for (const [key, text] of Object.entries(data)) this.#digests.set(key, digest(text));
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
