import { EventFeed } from '../cluster/events/event-feed.ts';
import { eventColumns, eventDocument, oldestFirst, type SeenEvent } from '../cluster/events/event-view.ts';
import { askClusters, fleetClusters, type ClusterAnswer, type FleetCluster } from '../cluster/fleet/fleet-clusters.ts';
import { FleetWatch, type LostCluster } from '../cluster/fleet/fleet-watch.ts';
import { aboutOf, OurEvents, ourKinds, OURS_SELECTOR } from '../cluster/events/our-events.ts';
import type { EventsOptions } from '../commands/events.ts';
import type { CliContext } from '../context.ts';
import { exitCodes, ExitError, FailedError } from '../errors.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { formatTable } from '../terminal/table.ts';
import type { KubeClient } from '../../kube/client.ts';
import { events as eventKind } from '../../kube/resources.ts';
import type { EventObject } from '../../runs/run-objects.ts';

/** Shows events about plans, runs and steps, of one cluster or all; with `--watch` goes on until it is interrupted. */
export async function events(context: CliContext, options: EventsOptions): Promise<void> {
  const { cwd } = context;
  const alone: FleetCluster = { name: '', context: options.context, namespace: options.namespace };
  const clusters = options.allClusters ? await fleetClusters(cwd) : [alone];
  if (options.watch) return watchEvents(context, clusters, options);
  const answers = await askClusters(clusters, options, (client) => eventsOn(client, options));
  return printEvents(context, answers, options);
}

function oursBy({ types, for: written }: EventsOptions): OurEvents {
  return new OurEvents({ types, ...(written !== undefined && { about: aboutOf(written) }) });
}

async function eventsOn(client: KubeClient, options: EventsOptions): Promise<readonly EventObject[]> {
  const namespace = options.allNamespaces ? null : undefined;
  const ours = oursBy(options);
  const [found, ...objects] = await Promise.all([
    client.list<EventObject>(eventKind, { namespace }),
    ...ourKinds.map((of) => client.list(of, { namespace, labelSelector: OURS_SELECTOR })),
  ]);
  for (const object of objects.flatMap(({ items }) => items)) ours.put(object);
  return found.items.filter((event) => ours.isWanted(event) === true);
}

function printEvents(
  { out, err }: CliContext,
  answers: readonly ClusterAnswer<readonly EventObject[]>[],
  options: EventsOptions,
): void {
  const unreachable = answers.flatMap((answer) => ('problem' in answer ? [answer] : []));
  if (!options.allClusters && unreachable.length > 0) throw new FailedError(unreachable[0]!.problem);
  const found = answers.flatMap((answer) =>
    'answer' in answer ? answer.answer.map((event) => from(answer.cluster, event)) : [],
  );
  const sorted = found.sort(oldestFirst);
  if (options.output === 'json') out.json({ events: sorted.map(eventDocument), unreachable });
  else if (sorted.length > 0) out.write(formatTable(eventColumns(Date.now(), out.colors, options), sorted));
  else if (unreachable.length === 0) err.line('No events found.');
  for (const { cluster, problem } of unreachable) err.line(`${err.colors.red('error:')} ${cluster}: ${problem}`);
  if (unreachable.length > 0) throw new ExitError(exitCodes.failed);
}

async function watchEvents(
  { out, err }: CliContext,
  clusters: readonly FleetCluster[],
  options: EventsOptions,
): Promise<void> {
  const json = options.output === 'json';
  const widths: number[] = [];
  let headers = true;
  const print = (seen: readonly SeenEvent[]): void => {
    if (json) return seen.forEach((event) => out.line(JSON.stringify(eventDocument(event))));
    if (seen.length === 0) return;
    out.write(formatTable(eventColumns(Date.now(), out.colors, options), seen, { headers, widths }));
    headers = false;
  };
  const first = new FirstTogether(clusters, print);
  const tellLost = (cluster: string, lost: LostCluster | undefined): void => {
    if (lost) first.answered(cluster);
    const name = cluster || 'the cluster';
    if (json)
      return out.line(JSON.stringify({ ...(cluster && { cluster }), reachable: !lost, problem: lost?.problem }));
    err.line(lost ? `${err.colors.yellow('warning:')} ${name}: ${lost.problem}` : `${name} is heard again`);
  };
  const namespace = options.allNamespaces ? null : undefined;
  await interruptible(async (signal) => {
    await new FleetWatch(options, tellLost).run(
      clusters,
      (follow, { name }) => {
        const feed = new EventFeed(oursBy(options), (seen) => first.give(seen.map((event) => from(name, event))));
        // It never comes to that when it is interrupted before.
        feed.begin(follow, namespace).then(
          () => first.answered(name),
          () => undefined,
        );
      },
      signal,
    );
    signal.throwIfAborted();
  });
}

/** Keeps back what clusters give until each has answered or is lost, so that what there was is in order of time. */
class FirstTogether {
  readonly #open: Set<string>;
  readonly #print: (seen: readonly SeenEvent[]) => void;
  readonly #kept: SeenEvent[] = [];

  constructor(clusters: readonly FleetCluster[], print: (seen: readonly SeenEvent[]) => void) {
    this.#open = new Set(clusters.map(({ name }) => name));
    this.#print = print;
  }

  give(seen: readonly SeenEvent[]): void {
    if (this.#open.size === 0) this.#print(seen);
    else this.#kept.push(...seen);
  }

  answered(cluster: string): void {
    if (!this.#open.delete(cluster) || this.#open.size > 0) return;
    this.#print(this.#kept.sort(oldestFirst));
  }
}

function from(cluster: string, event: EventObject): SeenEvent {
  return cluster === '' ? event : { ...event, cluster };
}
