import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failurePolicies } from '../../lib/graph/graph.ts';
import type { Command, Decision, RunSpec } from '../../lib/engine/advance.ts';
import { decodeRecord, encodeRecord } from '../../lib/engine/codec.ts';
import { stepReasons } from '../../lib/engine/reasons.ts';
import type { RunRecord } from '../../lib/engine/record.ts';
import { Run } from '../../lib/engine/run.ts';
import { randomPlan, type Plan } from './plans.ts';
import { Random } from './random.ts';
import { attempted, referenceFailures, referencePhases } from './reference-model.ts';
import { simulate } from './simulation.ts';
import type { Moment } from './simulated-shell.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const chaos = { crash: 0.08, lose: 0.2, repeat: 0.4 };

function phasesOf({ steps }: RunRecord): Record<string, string> {
  return Object.fromEntries([...steps].map(([name, { phase, reason }]) => [name, `${phase}/${reason}`]));
}

/** Some of what may be asked of a run while it runs. */
function randomChanges(random: Random): { after: number; spec: Partial<RunSpec> }[] {
  const change = (): Partial<RunSpec> =>
    random.pick([
      { suspended: true },
      { parallelism: 1 + random.upTo(4) },
      { timeoutSeconds: 20 + random.upTo(100) },
      { cancel: 'Now' as const },
      { cancel: 'RunFinally' as const },
      { cancel: 'Drain' as const },
      { skips: { s0: '', s2: 'why', s5: '' } },
    ]);
  const changes = Array.from({ length: random.upTo(2) }, () => ({ after: random.upTo(40), spec: change() }));
  return [...changes, { after: 200, spec: { suspended: false } }];
}

describe('a run on a simulated cluster', () => {
  it('comes to the ends of the reference model, whatever is lost, repeated, out of order, and whenever its shell dies', () => {
    let crashes = 0;
    fc.assert(
      fc.property(seeds, fc.boolean(), (seed, commandsFirst) => {
        const random = new Random(seed);
        const plan = randomPlan(random, 'RunIndependent');
        const parallelism = 1 + random.upTo(4);
        const result = simulate({ seed, plan, faults: chaos, parallelism, commandsFirst });
        const expected = referencePhases(plan);
        expect(phasesOf(result.record)).toEqual(expected);
        expect(result.record.run.phase).toBe(
          referenceFailures(plan.steps, expected).length > 0 ? 'Failed' : 'Succeeded',
        );
        for (const step of plan.steps)
          if (/^(Succeeded|Failed)/.test(expected[step.name]!))
            expect(result.record.steps.get(step.name)!.attempts.length).toBe(attempted(step).attempts);
        expect(result.mostLive).toBeLessThanOrEqual(parallelism);
        crashes += result.crashes;
      }),
      { numRuns: 300 },
    );
    expect(crashes).toBeGreaterThan(100);
  });

  it('always ends, in order and within its limit, whatever is asked of it and done to its pods', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom(...failurePolicies), fc.boolean(), (seed, policy, commandsFirst) => {
        const random = new Random(seed);
        const plan = randomPlan(random, policy, { timed: true });
        const faults = { ...chaos, remove: 0.1, jump: random.pick([0, 0.05]) };
        const { record, cluster } = simulate({ seed, plan, faults, commandsFirst, changes: randomChanges(random) });
        expect(record.steps.size).toBe(plan.steps.length);
        for (const { phase, reason, attempts, readyAt, finishedAt } of record.steps.values()) {
          expect(stepReasons[phase]).toContain(reason);
          expect(finishedAt).toBeGreaterThanOrEqual(readyAt ?? 0);
          for (const attempt of attempts) {
            expect(attempt.phase).not.toBe('Running');
            expect(attempt.finishedAt).toBeGreaterThanOrEqual(attempt.startedAt ?? attempt.createdAt);
          }
        }
        expect(record.run.finishedAt).toBeGreaterThanOrEqual(record.run.startedAt);
        expect(cluster.live()).toEqual([]);
        expectSound(plan, record);
      }),
      { numRuns: 300 },
    );
  });

  it('goes on from its record as if it had never stopped, at every moment', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom(...failurePolicies), (seed, policy) => {
        const random = new Random(seed);
        const faults = { lose: 0.2, repeat: 0.4, remove: 0.05 };
        const options = {
          plan: randomPlan(random, policy, { timed: true }),
          parallelism: 1 + random.upTo(3),
          changes: randomChanges(random),
        };
        simulate({ seed, ...options, faults, watch: comparedWithOneRebuilt });
      }),
      { numRuns: 100 },
    );
  });
});

/** What a step that succeeded came after had ended so that it might. */
function expectSound(plan: Plan, { run, steps }: RunRecord): void {
  const ends = phasesOf({ run, steps });
  // Who needs a service begins while it is up; what becomes of it afterwards is another matter.
  const services = new Set(plan.steps.filter(({ service }) => service).map(({ name }) => name));
  for (const { name, edges } of plan.steps)
    if (ends[name] === 'Succeeded/Completed')
      for (const { from, kind } of edges)
        if ((kind === 'order' || kind === 'data') && !services.has(from))
          expect(ends[from]).toMatch(/^(Succeeded|Failed|Skipped\/(WhenFalse|SkippedByHand))/);
  const failed = referenceFailures(plan.steps, ends);
  if (run.phase === 'Succeeded') expect(failed).toEqual([]);
  if (run.reason === 'StepFailed') expect(failed).not.toEqual([]);
}

/** The steps that wait for what the cache has. */
function asking({ steps, items = new Map() }: RunRecord): string[] {
  const all = [...items].flatMap(([map, records]) =>
    records.map((record, item) => [`${map}-${item}`, record] as const),
  );
  return [...steps, ...all].filter(([, record]) => record?.reason === 'CheckingCache').map(([name]) => name);
}

function comparedWithOneRebuilt({ run, topology, spec, now, observations }: Moment) {
  if (run.state.startedAt === 0) return undefined;
  const decoded = decodeRecord(encodeRecord(run.record()));
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  expect(decoded.record).toEqual(run.record());
  const twin = new Run(topology, spec, decoded.record);
  const attemptsSeen = observations.filter((observation) => 'state' in observation);
  const mayRepeat = new Set([...run.liveAttempts(), ...attemptsSeen].map(({ step, attempt }) => `${step}/${attempt}`));
  for (const name of asking(run.record())) mayRepeat.add(`${name}/lookup`);
  return (decision: Decision) => {
    const { commands, ...rest } = twin.advance(now, observations, spec);
    const { commands: expected, ...expectedRest } = decision;
    expect(rest).toEqual(expectedRest);
    const told = new Set(expected.map((command) => JSON.stringify(command)));
    const isTold = (command: Command) => told.has(JSON.stringify(command));
    expect(commands.filter(isTold)).toEqual(expected);
    // Beyond that, it repeats what may have been lost.
    for (const command of commands.filter((command) => !isTold(command)))
      expect(mayRepeat).toContain(`${command.step}/${'attempt' in command ? command.attempt : command.kind}`);
    expect(twin.counts()).toEqual(run.counts());
    expect(twin.record()).toEqual(run.record());
  };
}
