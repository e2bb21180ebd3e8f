import type { Clock } from '../../kube/clock.ts';
import { isForbidden } from '../../kube/errors.ts';
import type { EventNote } from '../../kube/events.ts';
import { keyOf, type KubeObject } from '../../kube/objects.ts';
import { eachObject } from '../../kube/pages.ts';
import { configMaps } from '../../kube/resources.ts';
import { CONTENT_PLAN, labels } from '../../graph/labels.ts';
import type { NotificationDocument } from '../../graph/notifications.ts';
import { decodePlanRecord, PLAN_RECORD_KEY } from '../../graph/plan-record.ts';
import type { Logger } from '../log.ts';
import type { ConfigMap } from '../objects.ts';
import { Wakeup } from '../run/wakeup.ts';
import type { PlanRecords } from '../schedules/plan-record.ts';
import type { PlanObject } from '../schedules/planned-run.ts';
import { backoffMs, type RunClient } from '../worker-context.ts';
import type { Deliveries } from './deliveries.ts';
import { lateNow, type LateTime } from './late-rules.ts';
import { missingNotice } from './notice.ts';
import { planFacts, type PlanFacts } from './plan-facts.ts';
import { readNotifications } from './read-notifications.ts';

/** What {@link MissingRuns} act through. */
export interface MissingRunsOptions {
  readonly client: RunClient;
  readonly records: Pick<PlanRecords, 'change'>;
  readonly deliveries: Deliveries;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tell: (plan: KubeObject, note: EventNote) => void;
}

/** A plan of which somebody wants to know when it makes no run. */
interface AwaitedPlan {
  plan: PlanObject;
  document: NotificationDocument;
  readonly wakeup: Wakeup;
}

/**
 * Tells of plans that make no run at their time, as their CronJobs ask for it. Which time was told last is in the plan's record, so that it is
 * told once, whichever controller looks.
 */
export class MissingRuns {
  readonly #options: MissingRunsOptions;
  readonly #signal: AbortSignal;
  /** By their keys, `namespace/name`. */
  readonly #plans = new Map<string, AwaitedPlan>();
  /** Of each plan and notification the time that was told last, or is being told. */
  readonly #told = new Map<string, Record<string, number>>();
  #works = false;

  constructor(options: MissingRunsOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Reads what was told before, then tells what is to be told. null means all namespaces. */
  async start(namespaces: readonly (string | null)[]): Promise<void> {
    await Promise.all(namespaces.map((namespace) => this.#load(namespace)));
    this.#works = true;
    for (const plan of this.#plans.values()) this.#look(plan);
  }

  /** Begins to tell nothing more. */
  close(): void {
    this.#works = false;
  }

  /** A plan was made or has changed. */
  see(plan: PlanObject): void {
    const key = keyOf(plan);
    const read = readNotifications(plan.spec.jobTemplate);
    // What is wrong with it is told of its runs.
    const asks = read !== undefined && 'notifications' in read && asksForLate(read);
    if (!asks) return this.#drop(key);
    const known = this.#plans.get(key);
    const wakeup = known?.wakeup ?? new Wakeup(this.#options.clock, () => this.#wake(key), this.#signal);
    const awaited = { plan, document: read, wakeup };
    this.#plans.set(key, awaited);
    this.#look(awaited);
  }

  /** A plan is gone. */
  forget(plan: PlanObject): void {
    this.#drop(keyOf(plan));
    this.#told.delete(keyOf(plan));
  }

  /** The time of a plan, by its key, that was told last for a notification. */
  toldOf(plan: string, notification: string): number | undefined {
    return this.#told.get(plan)?.[notification];
  }

  #drop(key: string): void {
    this.#plans.get(key)?.wakeup.at();
    this.#plans.delete(key);
  }

  #wake(key: string): void {
    const awaited = this.#plans.get(key);
    if (awaited) this.#look(awaited);
  }

  #look({ plan, document, wakeup }: AwaitedPlan): void {
    if (!this.#works) return;
    const key = keyOf(plan);
    const facts = planFacts(plan);
    if (facts === undefined) return wakeup.at();
    const now = this.#options.clock.now();
    const told = this.#told.get(key) ?? {};
    const { due } = lateNow(facts, told, document.notifications, now);
    for (const each of due) {
      told[each.notification] = each.time;
      void this.#tell(plan, facts, document, each);
    }
    this.#told.set(key, told);
    // Of what is told now the next time is another day.
    wakeup.at(lateNow(facts, told, document.notifications, now).next);
  }

  async #tell(plan: PlanObject, facts: PlanFacts, document: NotificationDocument, due: LateTime): Promise<void> {
    const notice = missingNotice(facts, document, due);
    const { to } = document.notifications[due.notification]!;
    await this.#options.deliveries.deliver({ about: plan, due, to, notice, note: () => this.#note(plan, due) });
  }

  async #note(plan: PlanObject, { notification, time }: LateTime): Promise<void> {
    const { records, clock, log } = this.#options;
    for (let failures = 1; ; failures++)
      try {
        return await records.change(plan, (record) => ({ ...record, late: { ...record.late, [notification]: time } }));
      } catch (error) {
        this.#signal.throwIfAborted();
        // Of a plan that is gone nothing is to be remembered.
        if (!this.#plans.has(keyOf(plan))) return;
        log.warn('What came of a notification could not be noted', { plan: keyOf(plan), error });
        await clock.sleep(backoffMs(failures, 15_000), this.#signal);
      }
  }

  async #load(namespace: string | null): Promise<void> {
    const labelSelector = `${labels.content}=${CONTENT_PLAN}`;
    const { client, clock, log } = this.#options;
    for (let failures = 1; ; failures++)
      try {
        for await (const record of eachObject<ConfigMap>(client, configMaps, {
          namespace,
          labelSelector,
          signal: this.#signal,
        })) {
          const { late } = decodePlanRecord(record.data?.[PLAN_RECORD_KEY]);
          const plan = record.metadata.labels?.[labels.plan];
          if (late !== undefined) this.#told.set(`${record.metadata.namespace}/${plan}`, { ...late });
        }
        return;
      } catch (error) {
        this.#signal.throwIfAborted();
        log.warn('What was told of plans could not be read', { error });
        // Runs are told of all the same.
        if (isForbidden(error)) return;
        await clock.sleep(backoffMs(failures, 15_000), this.#signal);
      }
  }
}

function asksForLate({ notifications }: NotificationDocument): boolean {
  return Object.values(notifications).some(({ lateAfterSeconds }) => lateAfterSeconds !== undefined);
}
