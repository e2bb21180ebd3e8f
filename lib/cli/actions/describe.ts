import { clusterFlags, findRun, withCluster } from '../cluster/cluster-session.ts';
import type { DescribeOptions } from '../commands/describe.ts';
import type { CliContext } from '../context.ts';
import { describeText, podStatus } from '../cluster/runs/describe-view.ts';
import { eventTime } from '../cluster/events/event-view.ts';
import { phaseStyle } from '../terminal/phases.ts';
import { inOrder, podSelector } from '../cluster/runs/run-pods.ts';
import { runView } from '../cluster/runs/run-view.ts';
import { isForbidden } from '../../kube/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { events, pods } from '../../kube/resources.ts';
import type { EventObject, RunJob, RunPod } from '../../runs/run-objects.ts';
import { readRunState } from '../../runs/run-state.ts';

/** More pods than this are not asked for their events: those of the first tell enough. */
const PODS_WITH_EVENTS = 5;

/** Shows all that is known of a run. */
export async function describe(context: CliContext, name: string, options: DescribeOptions): Promise<void> {
  await withCluster(options, async (client) => {
    const job = await findRun(client, name);
    const notes: string[] = [];
    const [state, found, ownEvents] = await Promise.all([
      readRunState(client, job),
      allowed(notes, 'pods', podsOf(client, job)),
      allowed(notes, 'events', eventsOf(client, 'Job', job)),
    ]);
    const open = found.filter(({ status }) => status?.phase !== 'Succeeded').slice(0, PODS_WITH_EVENTS);
    const podEvents = await Promise.all(open.map((pod) => allowed([], 'events', eventsOf(client, 'Pod', pod))));
    const all = [...ownEvents, ...podEvents.flat()];
    const sorted = all.sort((a, b) => (eventTime(a) ?? '').localeCompare(eventTime(b) ?? ''));
    const now = Date.now();
    const description = {
      run: runView(state, now),
      notes: [...state.notes, ...notes],
      pods: inOrder(found, state.graph),
      events: sorted,
    };
    const { out, env, program } = context;
    if (options.output === 'json') return out.json(asDocument(description));
    if (options.output === 'yaml') return out.yaml(JSON.parse(JSON.stringify(asDocument(description))));
    out.write(
      describeText(description, {
        colors: out.colors,
        phases: phaseStyle(out.colors, env),
        now,
        program,
        flags: clusterFlags(options),
        wide: options.output === 'wide',
      }),
    );
  });
}

function asDocument({ run, notes, pods: found, events: all }: Parameters<typeof describeText>[0]): object {
  return {
    ...run,
    pods: found.map((pod) => ({ name: pod.metadata.name, status: podStatus(pod), node: pod.spec.nodeName })),
    events: all.map((event) => {
      const { type, reason, message, count, involvedObject: of } = event;
      return { type, reason, message, count, object: `${of?.kind}/${of?.name}`, lastSeen: eventTime(event) };
    }),
    notes,
  };
}

async function podsOf(client: KubeClient, job: RunJob): Promise<RunPod[]> {
  const { namespace } = job.metadata;
  const { items } = await client.list<RunPod>(pods, { namespace, labelSelector: podSelector(job) });
  return items;
}

async function eventsOf(client: KubeClient, kind: string, { metadata }: KubeObject): Promise<EventObject[]> {
  const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${metadata.name},involvedObject.uid=${metadata.uid}`;
  return (await client.list<EventObject>(events, { namespace: metadata.namespace, fieldSelector })).items;
}

/** What may not be read is left out, and said. */
async function allowed<T>(notes: string[], what: string, read: Promise<T[]>): Promise<T[]> {
  try {
    return await read;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    notes.push(`you may not list ${what}, so none are shown`);
    return [];
  }
}
