import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lateNow, wasToldMissing, type Told } from '../../../lib/controller/notifications/late-rules.ts';
import { planFacts } from '../../../lib/controller/notifications/plan-facts.ts';
import type { PlanObject } from '../../../lib/controller/schedules/planned-run.ts';
import { kickoffText } from '../../../lib/graph/kickoff.ts';
import { annotations } from '../../../lib/graph/labels.ts';
import type { WireNotification } from '../../../lib/graph/notifications.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const at = (text: string, day = 1) => Date.parse(`2026-01-0${day}T${text}:00Z`);

interface Given {
  readonly spec?: Partial<PlanObject['spec']>;
  readonly notes?: Readonly<Record<string, string>>;
  readonly fired?: number;
  readonly changed?: number;
  readonly active?: string;
}

/** A plan of each ten minutes, made at midnight. */
function plan({ spec = {}, notes = {}, fired, changed, active }: Given = {}): PlanObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: {
      name: 'p',
      creationTimestamp: '2026-01-01T00:00:00Z',
      managedFields: changed === undefined ? [] : [{ manager: 'somebody', time: kickoffText(changed) }],
    },
    spec: { schedule: '*/10 * * * *', jobTemplate: { metadata: { annotations: notes }, spec: {} }, ...spec },
    status: {
      ...(fired !== undefined && { lastScheduleTime: kickoffText(fired) }),
      ...(active !== undefined && { active: [{ name: active }] }),
    },
  };
}

const wanted: WireNotification = { on: [], lateAfterSeconds: 120, to: { kind: 'slack', url: 'https://chat.test' } };

/** The times that are told, and when it is looked at again. */
function look(given: Given, now: number, told: Told = {}) {
  const facts = planFacts(plan(given));
  if (facts === undefined) return undefined;
  const { due, next } = lateNow(facts, told, { team: wanted }, now);
  return { times: due.map(({ time }) => time), next };
}

describe('a plan without a run', () => {
  it('is late so long after its time, and is looked at again then', () => {
    expect(look({ fired: at('00:10') }, at('00:21'))).toEqual({ times: [], next: at('00:22') });
    expect(look({ fired: at('00:10') }, at('00:22'))).toEqual({ times: [at('00:20')], next: undefined });
  });

  it('is not late when its run was made, or a later one', () =>
    expect(look({ fired: at('00:20') }, at('00:29'))).toEqual({ times: [], next: at('00:32') }));

  it('is told of with the first of several times', () =>
    expect(look({ fired: at('00:10') }, at('02:00'))!.times).toEqual([at('00:20')]));

  it('is told of once, and again with the first time a day later, until a run comes', () => {
    const told = { team: at('00:20') };
    expect(look({ fired: at('00:10') }, at('05:00'), told)).toEqual({ times: [], next: at('00:22', 2) });
    expect(look({ fired: at('00:10') }, at('00:22', 2), told)!.times).toEqual([at('00:20', 2)]);
    expect(look({ fired: at('05:00') }, at('05:12'), told)!.times).toEqual([at('05:10')]);
  });

  it('is not told of what is older than a day', () =>
    expect(look({ fired: at('00:10') }, at('12:00', 5))!.times).toEqual([at('12:00', 4)]));

  it.each<[string, Given]>([
    ['of before it was made', {}],
    ['of before it was changed or activated', { fired: Date.UTC(2025, 11, 1), changed: at('00:00') }],
  ])('is not told of times %s', (_, given) => {
    expect(look(given, at('00:11'))).toEqual({ times: [], next: at('00:12') });
    expect(look(given, at('00:12'))!.times).toEqual([at('00:10')]);
  });

  it.each<[string, Given]>([
    ['is suspended', { spec: { suspend: true } }],
    ['never fires', { spec: { schedule: '0 0 31 2 *' } }],
    ['is paused', { notes: { [annotations.pausedUntil]: '2027-01-01T00:00:00Z' } }],
    ['is over', { notes: { [annotations.between]: '{"to":"2026-01-01T00:10:00Z"}' } }],
    ['fires in the zone of its control plane, which nobody tells', { fired: at('00:07') }],
  ])('is not late when it %s', (_, given) => expect(look(given, at('05:00'))?.times ?? []).toEqual([]));

  it('is late by the minute, below one', () => {
    const often = { spec: { schedule: '* * * * *' }, notes: { [annotations.every]: '10' }, fired: at('00:10') };
    expect(look(often, at('00:13'))!.times).toEqual([at('00:11')]);
  });

  it('knows which run it waits for', () => {
    const forbid = { spec: { concurrencyPolicy: 'Forbid' }, fired: at('00:10'), active: 'p-1' };
    expect(planFacts(plan(forbid))!.goesOn).toBe('p-1');
    expect(planFacts(plan({ ...forbid, spec: { concurrencyPolicy: 'Allow' } }))!.goesOn).toBeUndefined();
  });

  it('is told of a time once, whoever looks how often, and at most once a day while no run comes', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 60 }), (waits) => {
        const told: number[] = [];
        let now = at('00:10');
        for (const wait of waits) {
          now += wait * 1000;
          const last = told.at(-1);
          told.push(...look({ fired: at('00:10') }, now, last === undefined ? {} : { team: last })!.times);
        }
        for (const [index, time] of told.entries()) {
          expect(time % (10 * MINUTE)).toBe(0);
          if (index > 0) expect(time - told[index - 1]!).toBeGreaterThanOrEqual(DAY);
        }
        expect(told.length > 0).toBe(now >= at('00:22'));
      }),
    ));
});

describe('a run that comes at last', () => {
  const run = (scheduledAt: number, createdAt: number) => ({
    uid: 'u',
    name: 'p-1',
    namespace: 'n',
    scheduledAt,
    createdAt,
  });

  it.each([
    ['of the time that was told', at('00:20'), at('00:30'), at('00:20'), true],
    ['of a later time, which is made up for', at('00:40'), at('00:45'), at('00:20'), true],
    ['that was made in time, and begins late', at('00:40'), at('00:40'), at('00:20'), false],
    ['of another day', at('00:20', 3), at('00:30', 3), at('00:20'), false],
    ['of which nobody told', at('00:20'), at('00:30'), undefined, false],
  ])('%s', (_, scheduledAt, createdAt, told, expected) =>
    expect(wasToldMissing(run(scheduledAt, createdAt), wanted, told)).toBe(expected),
  );
});
