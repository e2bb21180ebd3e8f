import type { KubeClient } from '../../kube/client.ts';
import type { Job } from '../objects.ts';
import { PlanRecords } from '../schedules/plan-record.ts';
import type { PlanObject } from '../schedules/planned-run.ts';
import type { WorkerContext } from '../worker-context.ts';
import { Deliverer } from './deliverer.ts';
import { Deliveries } from './deliveries.ts';
import { Launches } from './launches.ts';
import { MissingRuns } from './missing-runs.ts';
import { Notifier } from './notifier.ts';
import { Secrets } from './secrets.ts';
import { Webhooks } from './webhook.ts';

/** All that people and programs are told, of runs and of plans that make none, until the signal is aborted. */
export class Notifications {
  readonly #runs: Notifier;
  readonly #missing: MissingRuns;

  constructor(context: WorkerContext, client: KubeClient, signal: AbortSignal) {
    const { clock, log, metrics, timing } = context;
    const webhooks = new Webhooks({ env: process.env });
    const records = new PlanRecords({ client, clock, log });
    signal.addEventListener('abort', () => (records.stop(), void webhooks.close()), { once: true });
    const deliverer = new Deliverer(new Secrets(client, clock), webhooks, new Launches(client));
    const backoff = { baseDelayMs: timing.notifyMs, maxDelayMs: 5 * 60_000 };
    const shared = { client, clock, log, tell: context.tell };
    const deliveries = new Deliveries({ ...shared, metrics, deliverer, random: Math.random, backoff }, signal);
    const missing = new MissingRuns({ ...shared, records, deliveries }, signal);
    const toldMissing = (plan: string, notification: string) => missing.toldOf(plan, notification);
    this.#missing = missing;
    this.#runs = new Notifier({ ...shared, deliveries, toldMissing }, signal);
  }

  /** All Jobs are known: what is to be told is told from now on. null means all namespaces. */
  async start(namespaces: readonly (string | null)[]): Promise<void> {
    await this.#missing.start(namespaces);
    this.#runs.start();
  }

  /** Begins no other try, and waits for those under way. */
  async close(): Promise<void> {
    this.#missing.close();
    await this.#runs.close();
  }

  see(job: Job): void {
    this.#runs.see(job);
  }

  forget(job: Job): void {
    this.#runs.forget(job);
  }

  seePlan(plan: PlanObject): void {
    this.#missing.see(plan);
  }

  forgetPlan(plan: PlanObject): void {
    this.#missing.forget(plan);
  }
}
