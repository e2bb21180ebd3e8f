import { Duration } from 'cdk8s';
import type { Secret } from 'cdk8s-plus-28';
import {
  notice,
  NotificationTarget,
  planNamed,
  z,
  type LaunchPlan,
  type NotificationProps,
  type Notifications,
} from 'cdk8s-workflows';
import { describe, expectTypeOf, test } from 'vitest';
import type { RunReason } from '../../lib/engine/reasons.ts';
import type { RunFailureReason } from '../../lib/graph/notifications.ts';

declare const secret: Secret;
const inputs = { run: z.string(), count: z.int(), mode: z.enum(['fast', 'slow']) };
declare const plan: LaunchPlan<typeof inputs>;

const to = NotificationTarget.slack({ url: { secret, key: 'url' } });
const notification = (given: NotificationProps): NotificationProps => given;

describe('notifications', () => {
  test('name events, those of time with a threshold', () => {
    notification({ on: ['failed', { late: Duration.minutes(1) }, { runningLong: Duration.hours(1) }], to });
    // @ts-expect-error no such event
    notification({ on: ['finished'], to });
    // @ts-expect-error without its threshold
    notification({ on: ['late'], to });
    // @ts-expect-error no duration
    notification({ on: [{ late: '10m' }], to });
    // @ts-expect-error whom?
    notification({ on: ['failed'] });
    // @ts-expect-error no such reason
    notification({ on: ['failed'], to, reasons: ['StepFaild'] });
  });

  test('launch a plan with its own inputs', () => {
    NotificationTarget.launch(plan, { run: notice.run, count: notice.failures, mode: 'fast' });
    NotificationTarget.launch(plan);
    NotificationTarget.launch(planNamed('other', { inputs }), { run: notice.run });
    // @ts-expect-error no such input
    NotificationTarget.launch(plan, { rum: notice.run });
    // @ts-expect-error a number is wanted
    NotificationTarget.launch(plan, { count: notice.run });
    // @ts-expect-error one of two words is wanted
    NotificationTarget.launch(plan, { mode: notice.reason });
    // @ts-expect-error no such field
    NotificationTarget.launch(plan, { run: notice.rum });
  });

  test('are taken off by false', () => {
    expectTypeOf<{ readonly team: false }>().toExtend<Notifications>();
  });

  test('know every reason for which a run fails', () => {
    type NoFailure = 'Started' | 'Suspended' | 'Completed' | 'CancelRequested';
    expectTypeOf<Exclude<RunReason, NoFailure>>().toExtend<RunFailureReason>();
  });
});
