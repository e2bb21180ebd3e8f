import type { Reflector } from '../../../kube/reflector.ts';
import { configMaps, cronJobs, jobs } from '../../../kube/resources.ts';
import { isRunJob } from '../../../runs/run-kinds.ts';
import type { ConfigMapObject, PlanCronJob, RunJob } from '../../../runs/run-objects.ts';
import { summaryOf } from '../../../runs/run-summary.ts';
import type { Follow } from '../fleet/fleet-watch.ts';
import type { RunSelection } from './list-runs.ts';
import type { ListedRun } from './runs-view.ts';
import { skippedRuns, skipSelectors } from './skipped-runs.ts';

/** Time alone lets runs be skipped: so often it is looked at when nothing else happens, in milliseconds. */
const LOOK_MS = 5_000;

/** However much happens, it is not looked at more often. */
const PAUSE_MS = 1_000;

/** The runs of one cluster and those that plans skipped there, as they are followed. */
export class WatchedRuns {
  readonly #jobs: Reflector<RunJob>;
  readonly #records: Reflector<ConfigMapObject>;
  readonly #plans: Reflector<PlanCronJob>;
  readonly #told = new Set<string>();
  #skipped: readonly ListedRun[] = [];
  /** When what was skipped is to be looked at again. */
  #lookAt = 0;
  #lookedAt = 0;

  /** @param tell called with a run that is new or has changed */
  constructor(follow: Follow, { namespace, labelSelector, chosen }: RunSelection, tell: (run: ListedRun) => void) {
    const selectors = skipSelectors(chosen);
    const look = () => void (this.#lookAt = Math.min(this.#lookAt, this.#lookedAt + PAUSE_MS));
    const beside = { namespace, mayBeForbidden: true, onChange: look, onDelete: look };
    this.#jobs = follow<RunJob>(jobs, {
      namespace,
      labelSelector,
      onChange: (job) => {
        look();
        if (isRunJob(job)) tell(summaryOf(job));
      },
      onDelete: look,
    });
    this.#records = follow<ConfigMapObject>(configMaps, { ...beside, labelSelector: selectors.records });
    // When a plan was changed is in its managed fields.
    this.#plans = follow<PlanCronJob>(cronJobs, {
      ...beside,
      labelSelector: selectors.plans,
      transform: (plan) => plan,
    });
  }

  /** Resolves when all runs are known. */
  synced(): Promise<void> {
    return this.#jobs.synced();
  }

  /** Resolves when it has ended after its signal was aborted. */
  async stopped(): Promise<void> {
    await Promise.all([this.#jobs, this.#records, this.#plans].map((reflector) => reflector.stopped()));
  }

  /** All that there are now. */
  rows(): readonly ListedRun[] {
    return [...[...this.#jobs.values()].filter(isRunJob).map(summaryOf), ...this.#skippedNow()];
  }

  /** Those that were skipped and were not given before. */
  newlySkipped(): readonly ListedRun[] {
    return this.#skippedNow().filter(({ namespace, name }) => {
      const key = `${namespace}/${name}`;
      return !this.#told.has(key) && this.#told.add(key);
    });
  }

  #skippedNow(): readonly ListedRun[] {
    const now = Date.now();
    if (now < this.#lookAt) return this.#skipped;
    this.#lookedAt = now;
    this.#lookAt = now + LOOK_MS;
    const sources = { records: this.#records.values(), plans: this.#plans.values() };
    return (this.#skipped = skippedRuns(sources, this.#jobs.values(), now));
  }
}
