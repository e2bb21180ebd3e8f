import type { Construct } from 'constructs';
import {
  historyProblems,
  isAbout,
  notificationNotes,
  runUrlProblems,
  type NotifiedOf,
} from '../lib/plans/plan-notifications.ts';
import type { Problem } from '../lib/values/problems.ts';
import { clusterOf, namespaceOf } from './cluster.ts';
import { notificationProblems, wireNotification, type NotificationProps, type Notifications } from './notification.ts';
import { NotificationTarget, type NotifiedFrom } from './notification-target.ts';
import { noteSecrets } from './notification-secrets.ts';

/** What is said of the notifications of a plan or run. */
interface NotificationSettings {
  readonly notifications?: Notifications;
  readonly runUrl?: string;
  readonly namespace?: string;
  readonly successfulRunsHistoryLimit?: number;
  readonly failedRunsHistoryLimit?: number;
}

/** A fleet's target is that of each of its plans: what is said of it is said once. */
const warned = new WeakSet<NotificationTarget>();

/** Who is told of the runs of a plan, or of one run. */
export class PlanNotifications {
  readonly #from: NotifiedFrom;
  readonly #settings: NotificationSettings;
  /** Those whose filters let it through. */
  readonly #own: readonly (readonly [string, NotificationProps])[];
  readonly #cluster: string | undefined;

  constructor(construct: Construct, settings: NotificationSettings, whose: NotifiedOf) {
    this.#from = { construct, namespace: settings.namespace ?? namespaceOf(construct) };
    this.#settings = settings;
    this.#cluster = clusterOf(construct)?.name;
    this.#own = Object.entries(settings.notifications ?? {}).filter(
      (entry): entry is [string, NotificationProps] => entry[1] !== false && isAbout(entry[1], whose),
    );
  }

  /** Notes that the controller must read the Secrets that they name: the runs are on its cluster. */
  noteSecrets(): void {
    const secrets = this.#own.flatMap(([, { to }]) => (to instanceof NotificationTarget ? to.parts.secrets : []));
    noteSecrets(this.#from, secrets);
  }

  /** Annotations of each run. */
  get notes(): Readonly<Record<string, string>> {
    // What is wrong with one is told; a document of it would be none.
    if (this.#own.length === 0 || [...this.problems()].length > 0) return {};
    return notificationNotes({
      cluster: this.#cluster,
      runUrl: this.#settings.runUrl,
      notifications: Object.fromEntries(this.#own.map(([name, props]) => [name, wireNotification(props)])),
    });
  }

  *problems(): Generator<Problem> {
    for (const [name, props] of this.#own) {
      yield* notificationProblems(name, props, this.#from);
      yield* historyProblems(name, props, this.#settings);
    }
    yield* runUrlProblems(this.#settings.runUrl);
  }

  *warnings(): Generator<Problem> {
    for (const [name, { to }] of this.#own) {
      if (!(to instanceof NotificationTarget) || warned.has(to)) continue;
      warned.add(to);
      for (const warning of to.parts.warnings()) yield { ...warning, path: `notifications.${name}.${warning.path}` };
    }
  }
}
