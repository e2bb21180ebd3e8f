import { Duration } from 'cdk8s';
import type { Secret } from 'cdk8s-plus-28';
import { NotificationTarget, type NotificationProps, type Notifications } from 'cdk8s-workflows';
import { describe, expectTypeOf, test } from 'vitest';
import type { RunReason } from '../../lib/engine/reasons.ts';
import type { RunFailureReason } from '../../lib/graph/notifications.ts';

declare const secret: Secret;
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

  test('are taken off by false', () => {
    expectTypeOf<{ readonly team: false }>().toExtend<Notifications>();
  });

  test('know every reason for which a run fails', () => {
    type NoFailure = 'Started' | 'Suspended' | 'Completed' | 'CancelRequested';
    expectTypeOf<Exclude<RunReason, NoFailure>>().toExtend<RunFailureReason>();
  });
});
