import {
  endings,
  serviceOutputs,
  type EndCondition,
  type FailurePolicy,
  type Graph,
  type Role,
} from '../../lib/graph/graph.ts';
import type { ValueSource } from '../../lib/graph/value-source.ts';
import type { Answers } from '../../lib/engine/answers.ts';
import type { LockSource } from '../../lib/graph/locks.ts';
import type { Random } from './random.ts';
import { TTL_SECONDS } from './simulated-cache.ts';
import { gateSketch, graphOf, rowsSchema, type StepSketch } from './scenario.ts';

/** How an attempt ends; no plan has the last three, which faults and stops bring about. A service that is `ok` stays up, and one with `bad-outputs` ends by itself. */
export type Outcome = 'ok' | 'exit' | 'system' | 'permanent' | 'bad-outputs' | 'evicted' | 'deleted' | 'stopped';

/** A random step, in a form that both the engine's graph and the reference model are made from. */
export interface PlannedStep {
  readonly name: string;
  /** All edges of kind `first` together give one value. */
  readonly edges: readonly {
    readonly from: string;
    readonly kind: 'order' | 'data' | 'default' | 'first' | 'status';
  }[];
  readonly depends?: EndCondition;
  readonly role?: Role;
  /** A literal, or whether the rows of an upstream are at least so many. */
  readonly when?: boolean | { readonly of: string; readonly atLeast: number };
  readonly continueOnFailure: boolean;
  readonly retries: number;
  readonly delaySeconds: number;
  /** A failure that is not tried again. */
  readonly givesUpOn?: 'ExitCode' | 'OutputsInvalid';
  readonly systemRetries?: number;
  /** What ends attempts and retries by the clock. */
  readonly times?: { readonly pendingTimeoutSeconds: number; readonly maxElapsedSeconds: number };
  /** With literal keys. */
  readonly locks?: readonly PlannedLock[];
  /** By attempt; those after the last one are `ok`. */
  readonly outcomes: readonly Outcome[];
  readonly rows: number;
  /** It may take the result of an equal step: what there is of one before the run. */
  readonly cached?: Kept;
  /** Whether it did. @default if there is a usable one */
  readonly hit?: boolean;
  /** Of a map: what becomes of each item. */
  readonly items?: {
    readonly outcomes: readonly (readonly Outcome[])[];
    readonly cached?: readonly Kept[];
    readonly hits?: readonly boolean[];
    readonly concurrency?: number;
    readonly minSuccesses?: number;
  };
  /** Nothing runs: it waits, and this is what becomes of it. Whoever answers does so after `afterSeconds` of the run. */
  readonly gate?: { readonly end: GateEnd; readonly afterSeconds: number };
  /** It stays up while the others run that have edges from it. An attempt that fails may be ready before. */
  readonly service?: { readonly failsReady: boolean };
  /** What an attempt at it is instead of a container: a run of its own, or a Job with an item for each of a list. */
  readonly is?: 'run' | 'indexedMap';
  /** Nothing runs: a workflow begins here that is part of this one. */
  readonly begins?: boolean;
  /** Nothing runs: it stands for others. */
  readonly group?: { readonly steps: readonly string[]; readonly begin?: string; readonly contains: boolean };
}

type PlannedLock = Omit<LockSource, 'key'> & { readonly key: string };

/** What a step finds in the place of its result. */
const kepts = ['usable', 'usable', 'too old', 'misfit', 'nothing'] as const;
export type Kept = (typeof kepts)[number];

/** How a gate ends: by an answer, by its default, by nobody's answer, or by its time. What it gives is the step's rows. */
const gateEnds = ['given', 'denied', 'default', 'timeout', 'slept'] as const;
export type GateEnd = (typeof gateEnds)[number];

export interface Plan {
  readonly policy: FailurePolicy;
  /** In topological order; the graph has them in an order of its own. */
  readonly steps: readonly PlannedStep[];
  readonly order: readonly string[];
}

/** An item of a map, as a step of its own. */
export function plannedItem(map: PlannedStep, item: number): PlannedStep {
  const { items, ...step } = map;
  const { outcomes, cached, hits } = items!;
  return { ...step, name: `${map.name}-${item}`, outcomes: outcomes[item]!, cached: cached?.[item], hit: hits?.[item] };
}

export function outcomeOf(step: PlannedStep, attempt: number): Outcome {
  return step.outcomes[attempt - 1] ?? 'ok';
}

const outcomes: readonly Outcome[] = ['ok', 'ok', 'ok', 'exit', 'exit', 'system', 'permanent', 'bad-outputs'];

/** `timed`: what becomes of some steps depends on the clock, so that no model can tell. */
export function randomPlan(random: Random, policy: FailurePolicy, { most = 12, timed = false } = {}): Plan {
  const steps: PlannedStep[] = [];
  const count = random.upTo(most);
  const grouped = new Set<string>();
  for (let index = 0; index < count; index++) {
    const group = random.chance(0.15) && randomGroup(random, steps, grouped);
    if (group) {
      for (const name of group.steps) grouped.add(name);
      steps.push({ ...nothing, name: `s${index}`, group });
      continue;
    }
    const begins = random.chance(0.1);
    const gate = random.chance(0.2) && { end: random.pick(gateEnds), afterSeconds: random.upTo(40) };
    const edges = steps
      .filter(({ name, service }) => {
        // A service of a group is there for the others of it.
        return random.chance(Math.min(0.5, 2.5 / count)) && !(service && (begins || grouped.has(name)));
      })
      .map(({ name, gate: upstream, begins: noOutputs, group: others, service }) => ({
        from: name,
        // A sleep gives nothing, and this one takes nothing. Nobody looks at how a service ends.
        kind: random.pick(
          upstream?.end === 'slept' || noOutputs || (!begins && gate && gate.end === 'slept')
            ? (['order'] as const)
            : service
              ? (['order', 'data', 'default'] as const)
              : // A group may have succeeded and give nothing.
                (['order', 'order', 'data', 'default', others ? 'status' : 'first', 'status'] as const),
        ),
      }));
    const givesNumber = (name: string) =>
      steps.some(
        (step) =>
          step.name === name && step.items === undefined && step.group === undefined && step.service === undefined,
      );
    const of = edges.find(({ kind }) => kind === 'data' || kind === 'default' || kind === 'first')?.from;
    // Nobody but the steps of its group looks at how a step of it ends.
    const names = steps.filter(({ name, service }) => !grouped.has(name) && !service).map(({ name }) => name);
    const literal = random.chance(0.1) ? false : random.chance(0.1) ? true : undefined;
    steps.push({
      name: `s${index}`,
      edges,
      ...(names.length > 0 && random.chance(0.3) && { depends: randomCondition(random, names) }),
      when: of !== undefined && givesNumber(of) && random.chance(0.3) ? { of, atLeast: 1 + random.upTo(3) } : literal,
      continueOnFailure: random.chance(0.2),
      retries: random.upTo(2),
      delaySeconds: random.pick([0, 0, 5]),
      givesUpOn: random.pick([undefined, undefined, 'ExitCode', 'OutputsInvalid'] as const),
      systemRetries: random.pick([undefined, 0, 1]),
      ...(timed && random.chance(0.3) && { times: { pendingTimeoutSeconds: 2, maxElapsedSeconds: 30 } }),
      outcomes: Array.from({ length: random.upTo(6) }, () => random.pick(outcomes)),
      rows: random.upTo(3),
      ...(begins
        ? { begins }
        : gate
          ? { gate }
          : random.chance(0.2)
            ? { items: randomItems(random) }
            : index < count - 1 && random.chance(0.2)
              ? { service: { failsReady: timed && random.chance(0.5) }, ...(!timed && { systemRetries: 1000 }) }
              : random.chance(0.2)
                ? random.pick([{ is: 'run' }, { is: 'indexedMap', retries: 0 }] as const)
                : maybeCached(random)),
    });
  }
  for (const [index, { name, service, ...step }] of steps.entries())
    if (service && !steps.some(({ edges }) => edges.some(({ from }) => from === name)))
      steps[index] = { name, ...step };
  const main = steps.map(({ name }) => name);
  for (const role of ['onFailure', 'finally'] as const)
    for (let index = 0; index < random.upTo(2); index++)
      steps.push({
        name: `${role.toLowerCase()}${index}`,
        role,
        edges: steps
          .filter(({ name, gate, begins }) => main.slice(-2).includes(name) && gate?.end !== 'slept' && !begins)
          .map(({ name: from, service }) => ({
            from,
            kind: random.pick(service ? (['status'] as const) : (['default', 'status'] as const)),
          })),
        ...(random.chance(0.1) && { when: false }),
        continueOnFailure: random.chance(0.2),
        retries: random.upTo(2),
        delaySeconds: random.pick([0, 5]),
        outcomes: Array.from({ length: random.upTo(3) }, () => random.pick(outcomes)),
        rows: 1,
        ...maybeCached(random),
      });
  return { policy, steps, order: random.shuffle(steps.map((step) => step.name)) };
}

const nothing = { edges: [], continueOnFailure: false, retries: 0, delaySeconds: 0, outcomes: [], rows: 0 };

/** Some of the steps, at whose ends no other steps look. */
function randomGroup(
  random: Random,
  steps: readonly PlannedStep[],
  grouped: ReadonlySet<string>,
): PlannedStep['group'] | undefined {
  const own = new Set(steps.map(({ name }) => name).filter((name) => !grouped.has(name) && random.chance(0.5)));
  for (const { name, depends, group, service } of [...steps].reverse()) {
    const users = steps.filter(({ edges }) => edges.some(({ from }) => from === name));
    if (service && users.some((user) => !own.has(user.name))) own.delete(name);
    if (!own.has(name)) for (const looked of [...mentionedBy(depends), ...(group?.steps ?? [])]) own.delete(looked);
  }
  if (own.size === 0) return undefined;
  const begin = steps.find(({ name, begins }) => begins && own.has(name))?.name;
  return { steps: [...own], contains: random.chance(0.5), ...(begin !== undefined && { begin }) };
}

/** The steps that a condition speaks of. */
export function mentionedBy(condition: EndCondition | undefined): string[] {
  return [...JSON.stringify(condition ?? {}).matchAll(/"step":"([^"]+)"/g)].map(([, name]) => name!);
}
const maybeCached = (random: Random) => (random.chance(0.3) ? { cached: random.pick(kepts) } : {});

function randomItems(random: Random): PlannedStep['items'] {
  const count = random.upTo(5);
  return {
    outcomes: Array.from({ length: count }, () =>
      Array.from({ length: random.upTo(3) }, () => random.pick([...outcomes, 'ok', 'ok', 'ok'] as const)),
    ),
    ...(random.chance(0.3) && { cached: Array.from({ length: count }, () => random.pick(kepts)) }),
    ...(random.chance(0.5) && { concurrency: 1 + random.upTo(2) }),
    ...(random.chance(0.5) && { minSuccesses: random.upTo(count) }),
  };
}

function randomCondition(random: Random, steps: readonly string[], depth = 2): EndCondition {
  const parts = () => Array.from({ length: 1 + random.upTo(2) }, () => randomCondition(random, steps, depth - 1));
  const kind = depth === 0 ? 'step' : random.pick(['step', 'all', 'any', 'any', 'not'] as const);
  if (kind === 'all') return { all: parts() };
  if (kind === 'any') return { any: parts() };
  if (kind === 'not') return { not: randomCondition(random, steps, depth - 1) };
  return { step: random.pick(steps), ended: random.pick(endings) };
}

/** The same with locks for most of what runs, of few keys, so that they meet. */
export function withLocks(random: Random, plan: Plan): Plan {
  const lock = (): PlannedLock => ({
    key: random.pick(['x', 'y', 'z']),
    limit: random.pick([1, 1, 2, 3]),
    scope: random.pick(['namespace', 'namespace', 'run', 'controller'] as const),
  });
  const locks = () => Array.from({ length: random.pick([0, 1, 1, 2]) }, lock);
  return {
    ...plan,
    steps: plan.steps.map((step) => (step.gate || step.service || step.is ? step : { ...step, locks: locks() })),
  };
}

/** The plan as the engine gets it. */
export function graphOfPlan({ policy, steps, order }: Plan): Graph {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const sketches = order.map((name): [string, StepSketch] => [name, sketchOf(byName.get(name)!, byName)]);
  return graphOf(Object.fromEntries(sketches), { failurePolicy: policy });
}

/** What is said to the gates of a plan, as it comes in. */
export function answersTo({ steps }: Plan): { readonly after: number; readonly spec: { readonly answers: Answers } }[] {
  let answers: Answers = {};
  return steps
    .filter(({ gate }) => gate?.end === 'given' || gate?.end === 'denied')
    .sort((a, b) => a.gate!.afterSeconds - b.gate!.afterSeconds)
    .map(({ name, gate, rows }) => {
      answers = { ...answers, [name]: gate!.end === 'denied' ? { approved: false } : { value: rows } };
      return { after: gate!.afterSeconds, spec: { answers } };
    });
}

const valueSchema = { properties: { value: { type: 'integer' } }, required: ['value'] };

function gateOf({ gate, rows }: PlannedStep, sources: Readonly<Record<string, ValueSource>>): StepSketch {
  const message: ValueSource = { list: Object.values(sources) };
  switch (gate!.end) {
    case 'given':
      return gateSketch({ waitsFor: 'input', message }, { outputs: valueSchema });
    case 'denied':
      return gateSketch({ waitsFor: 'approval', message }, { outputs: valueSchema });
    case 'default':
      return gateSketch({ waitsFor: 'input', message, default: rows }, { outputs: valueSchema, timeoutSeconds: 10 });
    case 'timeout':
      return gateSketch({ waitsFor: 'input', message }, { outputs: valueSchema, timeoutSeconds: 10 });
    case 'slept':
      return gateSketch({ waitsFor: 'sleep', seconds: { value: 10 } });
  }
}

function sketchOf(step: PlannedStep, byName: ReadonlyMap<string, PlannedStep>): StepSketch {
  const output = (from: string) => {
    const { gate, service } = byName.get(from)!;
    return gate ? 'value' : service ? 'host' : 'rows';
  };
  const rowsOf = (from: string, fallback?: number): ValueSource => ({
    step: from,
    output: output(from),
    ...(fallback !== undefined && { default: fallback }),
  });
  const { edges, depends, role, when, continueOnFailure, retries, delaySeconds } = step;
  const { givesUpOn, systemRetries, times } = step;
  const inputs: Record<string, ValueSource> = {};
  for (const { from, kind } of edges)
    if (kind === 'status') inputs[from] = { status: from, field: 'phase' };
    else if (kind === 'data' || kind === 'default') inputs[from] = kind === 'data' ? rowsOf(from) : rowsOf(from, -1);
  const first = edges.filter(({ kind }) => kind === 'first').map(({ from }) => rowsOf(from));
  if (first.length > 0) inputs.first = { first };
  // Each attempt of a service is elsewhere, and would ask for another result.
  const hosts = edges.map(({ from }) => from).filter((from) => byName.get(from)!.service);
  const after = edges.filter(({ kind }) => kind === 'order').map(({ from }) => from);
  const cel =
    typeof when === 'object' ? `steps.${when.of}.outputs.${output(when.of)} >= ${when.atLeast}` : String(when);
  const common = {
    after,
    ...(depends && { depends }),
    ...(role && { role }),
    continueOnFailure,
    ...(when !== undefined && { when: { cel, steps: typeof when === 'object' ? [when.of] : [] } }),
  };
  if (step.gate) return { ...gateOf(step, inputs), ...common };
  if (step.begins) return { kind: 'begin', workflow: 'part', inputs, ...common };
  if (step.group) {
    const from = step.group.steps.find((name) => givesRows(byName.get(name)!));
    const values: Record<string, ValueSource> = from === undefined ? {} : { rows: rowsOf(from) };
    const properties = { rows: { type: 'integer' } };
    return { kind: 'group', workflow: 'part', ...step.group, values, outputs: { properties, required: [] } };
  }
  return {
    ...(step.service ? { kind: 'service', outputs: serviceOutputs } : { outputs: rowsSchema }),
    ...(step.is === 'run' && { kind: 'run', runs: { plan: 'other' } }),
    ...(step.is === 'indexedMap' && { kind: 'indexedMap', over: [{ input: 'item', list: { value: [1, 2] } }] }),
    ...(step.items && mapFields(step.items)),
    inputs: step.items ? { ...inputs, item: { item: 'item' } } : inputs,
    ...common,
    retries: {
      limit: retries,
      delaySeconds,
      ...(givesUpOn && { unless: [{ reasons: [givesUpOn] }] }),
      ...(times && { maxElapsedSeconds: times.maxElapsedSeconds }),
    },
    systemRetries,
    ...(step.is !== 'run' && { pendingTimeoutSeconds: times?.pendingTimeoutSeconds }),
    ...((step.cached ?? step.items?.cached) && {
      cache: { key: step.name, ttlSeconds: TTL_SECONDS, serialize: step.rows % 2 === 0, ignoreInputs: hosts },
    }),
    locks: step.locks?.map((lock) => ({ ...lock, key: { value: lock.key } })),
  };
}

/** Whether a step that succeeds gives a number, or several. */
export const givesRows = ({ gate, begins, service }: PlannedStep) => !begins && !service && gate?.end !== 'slept';

function mapFields({ outcomes: each, concurrency, minSuccesses }: NonNullable<PlannedStep['items']>): StepSketch {
  return {
    kind: 'map',
    over: [{ input: 'item', list: { value: each.map((_, item) => item) } }],
    itemOutputs: rowsSchema,
    outputs: { properties: { rows: { type: 'array' } }, required: ['rows'] },
    concurrency,
    minSuccesses,
  };
}
