import { z } from 'zod';
import { annotations } from '../../graph/labels.ts';
import { mailTls, noticeFields, notificationEvents, type NotificationDocument } from '../../graph/notifications.ts';
import type { Problem } from '../../values/problems.ts';

const secret = z.strictObject({ secret: z.string(), key: z.string() });
const text = z.union([z.string(), secret]);
const seconds = z.int().min(1);

const to = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('slack'), url: text }),
  z.strictObject({ kind: z.literal('cloudEvents'), url: text, headers: z.record(z.string(), text).optional() }),
  z.strictObject({
    kind: z.literal('email'),
    relay: z.strictObject({
      host: z.string(),
      port: z.int().min(1).max(65_535),
      tls: z.enum(mailTls),
      login: z.strictObject({ user: text, password: secret }).optional(),
    }),
    from: z.string(),
    to: z.array(z.string()).min(1),
    subject: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('launch'),
    plan: z.string(),
    inputs: z.record(
      z.string(),
      z.union([z.strictObject({ field: z.enum(noticeFields) }), z.strictObject({ value: z.json() })]),
    ),
  }),
]);

const document = z.strictObject({
  cluster: z.string().optional(),
  runUrl: z.string().optional(),
  notifications: z.record(
    z.string().regex(/^[a-z0-9][-a-z0-9]{0,39}$/),
    z.strictObject({
      on: z.array(z.enum(notificationEvents).exclude(['late', 'runningLong'])),
      lateAfterSeconds: seconds.optional(),
      longAfterSeconds: seconds.optional(),
      reasons: z.array(z.string()).optional(),
      consecutiveFailures: z.int().min(1).optional(),
      text: z.string().optional(),
      retryForSeconds: seconds.optional(),
      to,
    }),
  ),
});

/** What may say who is to be told. */
interface Asking {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
}

/** Who is to be told of a run, as its Job says it, or the template of its plan; anybody may have written that. Nothing when it says nothing. */
export function readNotifications(
  job: Asking,
): NotificationDocument | { readonly problems: readonly Problem[] } | undefined {
  const given = job.metadata?.annotations?.[annotations.notifications];
  if (given === undefined) return undefined;
  const read = document.safeParse(jsonOf(given));
  if (read.success) return withoutLaunches(job, read.data as NotificationDocument);
  return {
    problems: read.error.issues.map(({ path, message }) => ({
      path: [annotations.notifications, ...path.map(String)].join('.'),
      message,
    })),
  };
}

/** A run that was launched by a notification launches no other: two plans that handle each other's failures would never end. */
function withoutLaunches({ metadata }: Asking, read: NotificationDocument): NotificationDocument {
  if (metadata?.annotations?.[annotations.launchedFor] === undefined) return read;
  const kept = Object.entries(read.notifications).filter(
    ([
      ,
      {
        to: { kind },
      },
    ]) => kind !== 'launch',
  );
  return { ...read, notifications: Object.fromEntries(kept) };
}

function jsonOf(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    return undefined;
  }
}
