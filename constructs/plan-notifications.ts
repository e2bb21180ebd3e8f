import type { Construct } from 'constructs';
import { templateProblems } from '../lib/graph/notice-text.ts';
import { annotations } from '../lib/graph/labels.ts';
import { noticeFields, type NotificationDocument } from '../lib/graph/notifications.ts';
import { canonicalJson } from '../lib/values/json.ts';
import { matchesLabels, type Labels } from '../lib/values/label-selector.ts';
import { show, type Problem } from '../lib/values/problems.ts';
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

/** What a plan or run is, as filters ask for it. */
interface Whose {
  readonly plan?: string;
  readonly labels: Labels;
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

  constructor(construct: Construct, settings: NotificationSettings, whose: Whose) {
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
    const { runUrl } = this.#settings;
    const document: NotificationDocument = {
      ...(this.#cluster !== undefined && { cluster: this.#cluster }),
      ...(runUrl !== undefined && { runUrl }),
      notifications: Object.fromEntries(this.#own.map(([name, props]) => [name, wireNotification(props)])),
    };
    return { [annotations.notifications]: canonicalJson(document) };
  }

  *problems(): Generator<Problem> {
    const { runUrl } = this.#settings;
    for (const [name, props] of this.#own) {
      yield* notificationProblems(name, props, this.#from);
      yield* this.#historyProblems(name, props);
    }
    if (runUrl === undefined) return;
    if (!/^https?:\/\//.test(runUrl)) yield { path: 'runUrl', message: `${show(runUrl)} is no http: or https: URL` };
    // It is what `{url}` stands for.
    yield* templateProblems(runUrl, 'runUrl', new Set(noticeFields.filter((field) => field !== 'url')));
  }

  *warnings(): Generator<Problem> {
    for (const [name, { to }] of this.#own) {
      if (!(to instanceof NotificationTarget) || warned.has(to)) continue;
      warned.add(to);
      for (const warning of to.parts.warnings()) yield { ...warning, path: `notifications.${name}.${warning.path}` };
    }
  }

  /** The run before is what tells of failures in a row. */
  *#historyProblems(name: string, { on, consecutiveFailures: wanted }: NotificationProps): Generator<Problem> {
    if (!on.includes('recovered') && (wanted === undefined || wanted === 1)) return;
    const { failedRunsHistoryLimit, successfulRunsHistoryLimit } = this.#settings;
    for (const [path, limit] of Object.entries({ failedRunsHistoryLimit, successfulRunsHistoryLimit }))
      if (limit === 0)
        yield { path, message: `must be at least 1 for the notification ${show(name)}, which asks for the run before` };
  }
}

function isAbout({ plans, labels }: NotificationProps, whose: Whose): boolean {
  const named = plans === undefined || (whose.plan !== undefined && plans.some((each) => matches(each, whose.plan!)));
  return named && matchesLabels(labels ?? {}, whose.labels);
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[^a-z0-9-]/gi, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}
