import { formatAge } from '../../terminal/duration.ts';
import type { Colors } from '../../terminal/output.ts';
import type { Column } from '../../terminal/table.ts';
import type { EventObject } from '../../../runs/run-objects.ts';

/** An event, and the cluster that it is from when there are several. */
export type SeenEvent = EventObject & { readonly cluster?: string };

/** The columns of events, as `kubectl events` has them. */
export function eventColumns(
  now: number,
  colors: Colors,
  options: { readonly allNamespaces?: boolean; readonly allClusters?: boolean } = {},
): Column<SeenEvent>[] {
  const cluster: Column<SeenEvent> = { header: 'CLUSTER', value: (event) => event.cluster ?? '' };
  const namespace: Column<SeenEvent> = { header: 'NAMESPACE', value: ({ metadata }) => metadata.namespace ?? '' };
  return [
    ...(options.allClusters ? [cluster] : []),
    ...(options.allNamespaces ? [namespace] : []),
    { header: 'LAST SEEN', value: (event) => formatAge(eventTime(event), now) },
    {
      header: 'TYPE',
      value: ({ type }) => type ?? '-',
      style: (text, { type }) => (type === 'Warning' ? colors.yellow(text) : text),
    },
    { header: 'REASON', value: ({ reason }) => reason ?? '-' },
    { header: 'OBJECT', value: ({ involvedObject: of }) => `${(of?.kind ?? '').toLowerCase()}/${of?.name ?? ''}` },
    {
      header: 'MESSAGE',
      value: ({ message, count = 1 }) => `${message ?? ''}${count > 1 ? ` (${count} times)` : ''}`,
    },
  ];
}

/** When an event happened last. */
export function eventTime({ lastTimestamp, eventTime: at, metadata }: EventObject): string | undefined {
  return lastTimestamp ?? at ?? metadata.creationTimestamp;
}

/** Newest last; those of the same second in the order in which they came. */
export function oldestFirst(a: EventObject, b: EventObject): number {
  return Date.parse(eventTime(a) ?? '') - Date.parse(eventTime(b) ?? '') || 0;
}

/** An event for `-o json`. */
export function eventDocument(event: SeenEvent): object {
  const { cluster, metadata, type, reason, message, count = 1, involvedObject: of } = event;
  return {
    ...(cluster !== undefined && { cluster }),
    namespace: metadata.namespace,
    lastSeen: eventTime(event),
    type,
    reason,
    object: { kind: of?.kind, name: of?.name },
    message,
    count,
  };
}
