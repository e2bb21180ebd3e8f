import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failurePolicies } from '../../lib/graph/graph.ts';
import { topology } from '../../lib/graph/topology.ts';
import type { RunSpec } from '../../lib/engine/advance.ts';
import { decodeRecord, encodeRecord } from '../../lib/engine/codec.ts';
import type { RunRecord, StepRecord } from '../../lib/engine/record.ts';
import { recoveredRecord } from '../../lib/engine/recover.ts';
import { Run } from '../../lib/engine/run.ts';
import { graphOfPlan, randomPlan, type Plan } from './plans.ts';
import { Random } from './random.ts';
import { referencePhases } from './reference-model.ts';
import { begin, graphOf, rowsOf, rowsSchema, Scenario, T0, withRows, type StepSketch } from './scenario.ts';
import { simulate } from './simulation.ts';

/** A run that goes on from another one, told to begin. */
function goOn(from: Scenario, rerun: readonly string[] = []): Scenario {
  const next = new Scenario(from.topology.graph);
  next.now = from.now + 3_600_000;
  const record = recoveredRecord(from.topology, { run: 'run-1', record: from.run.record(), rerun }, next.now);
  const decoded = decodeRecord(encodeRecord(record));
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  expect(decoded.record).toEqual(record);
  next.run = new Run(next.topology, next.spec, decoded.record);
  return next.tell();
}

describe('a run that goes on from one that failed', () => {
  const etl = graphOf(
    { extract: withRows, load: { inputs: { rows: rowsOf('extract') } }, report: { after: ['load'] } },
    { outputs: { rows: rowsOf('extract') } },
  );

  it('starts with the failed step, has the outputs of those before it, and runs those after it', () => {
    const failed = begin(etl).succeed('extract', { rows: 3 }).fail('load');
    expect(failed.end).toBe('Failed/StepFailed');
    const run = goOn(failed);
    expect(run.commands).toEqual([{ kind: 'start', step: 'load', attempt: 1, inputs: { rows: 3 } }]);
    expect(run.run.step('extract')).toEqual({
      phase: 'Succeeded',
      reason: 'Recovered',
      message: 'taken over from run run-1',
      attempts: [],
      outputs: { rows: 3 },
      finishedAt: run.now,
    });
    expect(run.run.state).toMatchObject({ phase: 'Running', startedAt: run.now });
    run.succeed('load').succeed('report');
    expect(run.end).toBe('Succeeded/Completed');
    expect(run.run.state.outputs).toEqual({ rows: 3 });
  });

  it('names of a step that was taken over before the run in which it ran', () => {
    const second = goOn(begin(etl).succeed('extract', { rows: 3 }).fail('load')).fail('load');
    const record = recoveredRecord(second.topology, { run: 'run-2', record: second.run.record(), rerun: [] }, T0);
    expect(record.steps.get('extract')?.message).toBe('taken over from run run-1');
  });

  it.each<
    [string, Readonly<Record<string, StepSketch>>, (run: Scenario) => unknown, readonly string[], readonly string[]]
  >([
    [
      'all that is independent of the failure',
      { a: {}, b: {}, c: { after: ['a'] } },
      (run) => run.succeed('a').succeed('c').fail('b'),
      [],
      ['a', 'c'],
    ],
    [
      'nothing after a step that is named',
      { a: {}, b: { after: ['a'] }, c: {} },
      (run) => run.succeed('a').succeed('b').succeed('c'),
      ['a'],
      ['c'],
    ],
    [
      'nothing when the first step is named',
      { a: {}, b: { after: ['a'] } },
      (run) => run.succeed('a').succeed('b'),
      ['a'],
      [],
    ],
    [
      'all when nothing is named and nothing failed',
      { a: {}, b: { after: ['a'] } },
      (run) => run.succeed('a').succeed('b'),
      [],
      ['a', 'b'],
    ],
    [
      'steps whose conditions were false, and what went on without them',
      { a: {}, b: { after: ['a'], when: { cel: 'false', steps: [] } }, c: { after: ['b'] }, d: { after: ['c'] } },
      (run) => run.succeed('a').succeed('c').fail('d'),
      [],
      ['a', 'b', 'c'],
    ],
    [
      'nothing that went on in spite of a failure',
      { a: { continueOnFailure: true }, b: { after: ['a'] }, c: {} },
      (run) => run.fail('a').succeed('b').succeed('c'),
      [],
      ['c'],
    ],
    [
      'nothing that handled a failure',
      { a: {}, fix: { depends: { step: 'a', ended: 'failed' } }, c: {} },
      (run) => run.fail('a').succeed('fix').succeed('c'),
      [],
      ['c'],
    ],
    [
      'nothing that looked at how a failed step ended',
      { a: { continueOnFailure: true }, b: { inputs: { phase: { status: 'a', field: 'phase' } } } },
      (run) => run.fail('a').succeed('b'),
      [],
      [],
    ],
    [
      'no steps for the end of a run',
      { a: {}, b: {}, alert: { role: 'onFailure' }, clean: { role: 'finally' } },
      (run) => run.succeed('a').fail('b').succeed('alert').succeed('clean'),
      [],
      ['a'],
    ],
    [
      'what was skipped by hand',
      { a: {}, b: { after: ['a'] }, c: { after: ['b'] } },
      (run) =>
        run
          .ask({ skips: { b: '' } })
          .succeed('a')
          .fail('c'),
      [],
      ['a', 'b'],
    ],
    [
      'nothing that was cancelled',
      { a: {}, b: {}, c: { after: ['b'] } },
      (run) => run.succeed('a').ask({ cancel: 'Now' }).fail('b'),
      [],
      ['a'],
    ],
  ])('takes over %s', (_, steps, play, rerun, expected) => {
    const run = begin(graphOf(steps, { failurePolicy: 'RunIndependent' }));
    play(run);
    expect(run.run.finished).toBe(true);
    const { steps: taken } = recoveredRecord(run.topology, { run: 'old', record: run.run.record(), rerun }, T0);
    expect([...taken.keys()]).toEqual(expected);
  });

  const map: StepSketch = {
    kind: 'map',
    over: [{ input: 'shard', list: { value: [1, 2, 3] } }],
    inputs: { shard: { item: 'shard' } },
    itemOutputs: rowsSchema,
    outputs: { properties: { rows: { type: 'array' } }, required: ['rows'] },
  };
  const maps = graphOf({ score: map, sum: { inputs: { rows: rowsOf('score') } } });
  const halfway = () => begin(maps).succeed('score-0', { rows: 10 }).fail('score-1').succeed('score-2', { rows: 12 });

  it('takes over the items of a map that succeeded, and runs the others', () => {
    const run = goOn(halfway());
    expect(run.asked).toEqual(['start score-1 1']);
    run.succeed('score-1', { rows: 11 });
    expect(run.commands).toMatchObject([{ step: 'sum', inputs: { rows: [10, 11, 12] } }]);
    run.succeed('sum');
    expect(run.end).toBe('Succeeded/Completed');
  });

  it('runs all items of a map that is named', () => {
    expect(goOn(halfway(), ['score']).asked).toEqual(['start score-0 1', 'start score-1 1', 'start score-2 1']);
  });

  it('takes over a map that succeeded with what it gives', () => {
    const done = halfway();
    const failed = goOn(done).succeed('score-1', { rows: 11 }).fail('sum');
    const run = goOn(failed);
    expect(run.commands).toMatchObject([{ step: 'sum', inputs: { rows: [10, 11, 12] } }]);
    expect(run.phases()).toMatchObject({ score: 'Succeeded/Recovered' });
  });

  it('ends at once when only a step for the end of the run had failed and runs through', () => {
    const graph = graphOf({ a: {}, clean: { role: 'finally' } });
    const run = goOn(begin(graph).succeed('a').fail('clean'));
    expect(run.asked).toEqual(['start clean 1']);
    expect(run.succeed('clean').end).toBe('Succeeded/Completed');
  });
});

describe('a run that goes on from any other one', () => {
  const seeds = fc.integer({ min: 0, max: 2 ** 31 });

  it('runs nothing that it took over, and ends as a run from the beginning would', () => {
    let taken = 0;
    fc.assert(
      fc.property(seeds, fc.constantFrom(...failurePolicies), (seed, policy) => {
        const random = new Random(seed);
        const plan = randomPlan(random, policy);
        const changes = random.chance(0.5) ? [{ after: random.upTo(40), spec: disturbance(random) }] : [];
        const { record } = simulate({ seed, plan, faults: { crash: 0.03, lose: 0.1 }, changes });
        const healed = heal(plan, record, random);
        const names = plan.steps.filter(() => random.chance(0.1)).map(({ name }) => name);
        const recovery = { run: 'old', record, rerun: names };
        const from = recoveredRecord(topology(graphOfPlan(healed)), recovery, T0);
        const faults = { crash: 0.05, lose: 0.1, repeat: 0.2 };
        const result = simulate({ seed: seed + 1, plan: healed, faults, record: from });
        const started = new Set([...result.cluster.pods.values()].map((pod) => pod.step));
        for (const [name, step] of from.steps)
          if (step.phase === 'Succeeded' || step.phase === 'Skipped') {
            taken += 1;
            expect(names).not.toContain(name);
            expect(started).not.toContain(name);
            expect(result.record.steps.get(name)).toEqual(step);
          }
        for (const [map, items] of from.items ?? [])
          for (const [item, known] of items.entries())
            if (known?.phase === 'Succeeded') expect(started).not.toContain(`${map}-${item}`);
        // A service that had failed although its steps went on is not needed by them any more.
        const notNeeded = [...result.record.steps].filter(([, { reason }]) => reason === 'ServiceNotNeeded');
        const expected = {
          ...referencePhases(healed),
          ...Object.fromEntries(notNeeded.map(([name]) => [name, NOT_NEEDED])),
        };
        expect(phasesOf(result.record.steps)).toEqual(withoutReasons(expected));
      }),
      { numRuns: 200 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});

const NOT_NEEDED = 'Skipped/ServiceNotNeeded';

function disturbance(random: Random): Partial<RunSpec> {
  return random.pick([
    { cancel: 'Now' as const },
    { cancel: 'Drain' as const },
    { timeoutSeconds: 1 + random.upTo(30) },
  ]);
}

/** The plan of the run that goes on: what had failed goes well now, or not, and nothing stops it. */
function heal(plan: Plan, { steps }: RunRecord, random: Random): Plan {
  const isHealed = (name: string) => steps.get(name)?.phase !== 'Succeeded' && random.chance(0.5);
  return {
    ...plan,
    policy: 'RunIndependent',
    steps: plan.steps.map((step) => {
      if (!isHealed(step.name)) return step;
      const items = step.items && { ...step.items, outcomes: step.items.outcomes.map(() => []) };
      return { ...step, outcomes: [], ...(items && { items }) };
    }),
  };
}

function phasesOf(steps: ReadonlyMap<string, StepRecord>): Record<string, string> {
  return withoutReasons(
    Object.fromEntries([...steps].map(([name, { phase, reason }]) => [name, `${phase}/${reason}`])),
  );
}

/** A step that was taken over succeeded, for whatever reason it did; a service whose steps were is not needed. */
function withoutReasons(phases: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(phases).map(([name, phase]) => [
      name,
      phase.replace(/^(Succeeded.*|Skipped.ServiceNotNeeded)/, 'Succeeded'),
    ]),
  );
}
