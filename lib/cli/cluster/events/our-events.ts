import { CONTROLLER_LEASE } from '../../../fleet/preflight/controller-lease.ts';
import { labels, MANAGED_BY } from '../../../graph/labels.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { cronJobs, jobs, pods, type Resource } from '../../../kube/resources.ts';
import type { EventObject } from '../../../runs/run-objects.ts';
import { bareName } from '../cluster-session.ts';

/** The kinds that plans, runs and steps are. */
export const ourKinds: readonly Resource[] = [cronJobs, jobs, pods];

/** Selects them: the pods of the controller are ours too, and are none of a step. */
export const OURS_SELECTOR = `${labels.managedBy}=${MANAGED_BY},app.kubernetes.io/name!=${CONTROLLER_LEASE}`;

/** What the controller names itself in its events. */
const COMPONENT = 'cdk8s-workflows';

/** The run or plan that events are asked for; `either` where the user did not say which. */
export interface About {
  readonly kind: 'run' | 'plan' | 'either';
  readonly name: string;
}

/** Reads `x`, `run/x`, `plan/x`, or the names that `-o name` prints. */
export function aboutOf(written: string): About {
  const kind = /^(runs?|jobs?(\.batch)?)\//.test(written)
    ? 'run'
    : /^(plans?|cronjobs?(\.batch)?)\//.test(written)
      ? 'plan'
      : 'either';
  return { kind, name: bareName(written) };
}

type Labels = Readonly<Record<string, string>>;

/** Tells events about plans, runs and their steps from others, by the objects that there are and were. */
export class OurEvents {
  readonly #about: About | undefined;
  readonly #types: readonly string[] | undefined;
  readonly #known = new Map<string, Labels>();

  constructor(options: { readonly about?: About; readonly types?: readonly string[] }) {
    this.#about = options.about;
    this.#types = options.types;
  }

  /** Takes note of a plan, a run or a step. What is gone stays known: its events outlive it. */
  put({ kind, metadata }: KubeObject): void {
    this.#known.set(keyOf(kind, metadata.namespace, metadata.name), metadata.labels ?? {});
  }

  /** The key of the object that an event is about. */
  keyOf({ involvedObject: of }: EventObject): string {
    return keyOf(of?.kind, of?.namespace, of?.name);
  }

  /** Whether an event is to be shown; undefined when its object is not known, and may yet become so. */
  isWanted(event: EventObject): boolean | undefined {
    const { type = 'Normal', involvedObject: of } = event;
    if (this.#types !== undefined && !this.#types.includes(type)) return false;
    const known = this.#known.get(this.keyOf(event));
    if (known === undefined && event.source?.component !== COMPONENT)
      return ourKinds.some(({ kind }) => kind === of?.kind) ? undefined : false;
    return this.#about === undefined || isAbout(this.#about, of ?? {}, known ?? {});
  }
}

function isAbout({ kind, name }: About, of: { kind?: string; name?: string }, given: Labels): boolean {
  const run = (of.kind === 'Job' && of.name === name) || given[labels.run] === name;
  const plan = (of.kind === 'CronJob' && of.name === name) || given[labels.plan] === name;
  return (kind !== 'plan' && run) || (kind !== 'run' && plan);
}

function keyOf(kind: string | undefined, namespace: string | undefined, name: string | undefined): string {
  return `${kind} ${namespace}/${name}`;
}
