import type { Json } from '../values/json.ts';
import { outputsRead, readsInput, statusesRead } from './condition-reads.ts';
import { mentions } from './end-condition.ts';
import type { BeginStep, CommonStep, EndCondition, Graph, GroupStep, StepNode } from './graph.ts';
import type { ConditionValue, ValueCondition, ValueSource } from './value-source.ts';
import { conditionsIn, statusesIn, stepOutputs } from './sources.ts';
import { stepEdges } from './step-edges.ts';
import { rulesOf } from './step-kinds.ts';

/** A use of a workflow as part of another one. */
export interface Inlining {
  readonly graph: Graph;
  /** The step that stands for it, and what is asked of it as a whole. */
  readonly step: Pick<CommonStep, 'name' | 'after' | 'depends' | 'when' | 'outputs'>;
  /** Where its inputs come from in the other workflow; those that are not given are left out. */
  readonly inputs: Readonly<Record<string, ValueSource>>;
}

/** The name of a step of an inlined workflow. */
export const inlinedName = (group: string, step: string) => `${group}-${step}`;

const BEGIN = 'begin';

/**
 * The steps of a workflow as steps of another one, with those that it begins and ends with. No step of it starts before
 * what is asked of the whole is there. O(steps + edges).
 */
export function inline({ graph, step, inputs }: Inlining): readonly StepNode[] {
  const { name, outputs, ...asked } = step;
  const within = new Within(graph, name, inputs);
  const begin = within.rename(BEGIN);
  const begins = Object.keys(asked).length > 0 || Object.values(inputs).some(waits);
  const own = new Set(graph.steps.map((node) => node.name));
  const inner = graph.steps.map((node): StepNode => {
    const replaced = within.node(node);
    return begins && !followsOwn(node, own) ? { ...replaced, depends: afterBegin(begin, replaced.depends) } : replaced;
  });
  const first: BeginStep = { kind: 'begin', name: begin, workflow: graph.workflow, inputs, ...asked };
  const group: GroupStep = {
    kind: 'group',
    name,
    workflow: graph.workflow,
    ...(begins && { begin }),
    steps: [...(begins ? [begin] : []), ...inner.map((node) => node.name)],
    values: Object.fromEntries(
      Object.entries(graph.outputs).map(([output, source]) => [output, within.source(source)]),
    ),
    ...(outputs && { outputs }),
  };
  return [...(begins ? [first] : []), ...inner, group];
}

/** The steps with the groups told at whose end others look: the failures within are theirs then. */
export function containFailures(steps: readonly StepNode[]): readonly StepNode[] {
  const looked = new Set(
    steps.flatMap(({ depends }) => (depends ? [...mentions(depends)].map((one) => one.step) : [])),
  );
  return steps.map((step) => (step.kind === 'group' && looked.has(step.name) ? { ...step, contains: true } : step));
}

function waits(source: ValueSource): boolean {
  const parts = [stepOutputs(source), statusesIn(source), conditionsIn(source)];
  return parts.some((part: Iterator<unknown>) => part.next().done !== true);
}

/** Whether a step runs only if another step of its own workflow has run. */
function followsOwn(node: StepNode, own: ReadonlySet<string>): boolean {
  if (node.depends !== undefined && needsSuccess(node.depends)) return true;
  return [...stepEdges(node)].some(([name, kind]) => kind === 'data' && own.has(name));
}

function needsSuccess(condition: EndCondition): boolean {
  if ('step' in condition) return condition.ended === 'succeeded';
  return 'all' in condition && condition.all.some(needsSuccess);
}

function afterBegin(begin: string, depends: EndCondition | undefined): EndCondition {
  const begun: EndCondition = { step: begin, ended: 'succeeded' };
  return depends === undefined ? begun : { all: [begun, depends] };
}

/** What the names of a workflow's steps and inputs stand for within another one. */
class Within {
  readonly #graph: Graph;
  readonly #group: string;
  readonly #inputs: Readonly<Record<string, ValueSource>>;
  readonly #schemas: ReadonlyMap<string, StepNode['outputs']>;

  constructor(graph: Graph, group: string, inputs: Readonly<Record<string, ValueSource>>) {
    this.#graph = graph;
    this.#group = group;
    this.#inputs = inputs;
    this.#schemas = new Map(graph.steps.map(({ name, outputs }) => [name, outputs]));
  }

  rename(step: string): string {
    return inlinedName(this.#group, step);
  }

  node(node: StepNode): StepNode {
    const { after, depends, when } = node;
    return {
      ...rulesOf(node).replace(node, { source: (source) => this.source(source), step: (name) => this.rename(name) }),
      name: this.rename(node.name),
      ...(after && { after: after.map((name) => this.rename(name)) }),
      ...(depends && { depends: this.#ends(depends) }),
      ...(when && { when: this.#condition(when) }),
    };
  }

  source(source: ValueSource): ValueSource {
    if ('input' in source) return this.#input(source.input, source.default);
    if ('step' in source) return { ...source, step: this.rename(source.step) };
    if ('status' in source) return { ...source, status: this.rename(source.status) };
    if ('list' in source) return { list: source.list.map((inner) => this.source(inner)) };
    if ('fields' in source)
      return {
        fields: Object.fromEntries(Object.entries(source.fields).map(([name, inner]) => [name, this.source(inner)])),
      };
    if ('first' in source) return { ...source, first: source.first.map((inner) => this.source(inner)) };
    if ('if' in source) return { if: this.#condition(source.if), then: this.source(source.then) };
    return 'text' in source ? { ...source, text: this.source(source.text) } : source;
  }

  #input(name: string, fallback: Json | undefined): ValueSource {
    const given = Object.hasOwn(this.#inputs, name) ? this.#inputs[name]! : NOTHING;
    if (fallback === undefined || 'value' in given) return given;
    return given === NOTHING ? { value: fallback } : { first: [given], default: fallback };
  }

  #ends(condition: EndCondition): EndCondition {
    if ('step' in condition) return { ...condition, step: this.rename(condition.step) };
    if ('not' in condition) return { not: this.#ends(condition.not) };
    return 'all' in condition
      ? { all: condition.all.map((part) => this.#ends(part)) }
      : { any: condition.any.map((part) => this.#ends(part)) };
  }

  /** The text stays as it was written: what it names is put in the places where it looks for it. */
  #condition({ cel, steps, statuses, values = [] }: ValueCondition): ValueCondition {
    const read = new Map<string, ConditionValue>();
    const add = (at: readonly string[], source: ValueSource, schema: ConditionValue['schema']) => {
      const key = JSON.stringify(at);
      if (!read.has(key)) read.set(key, { at, source: this.source(source), schema });
    };
    // Those come first: where a workflow was part of another one already, they are what its text names.
    for (const { at, source, schema } of values) add(at, source, schema);
    for (const [input, schema] of Object.entries(this.#graph.inputs.properties))
      if (readsInput(cel, input)) add(['inputs', input], { input }, schema);
    for (const step of steps)
      for (const output of new Set(outputsRead(cel, step)))
        add(['steps', step, 'outputs', output], { step, output }, this.#schemas.get(step)?.properties[output] ?? {});
    for (const step of statuses ?? [])
      for (const field of new Set(statusesRead(cel, step)))
        add(['steps', step, 'status', field], { status: step, field }, field === 'attempt' ? { type: 'integer' } : {});
    return {
      cel,
      steps: steps.map((step) => this.rename(step)),
      ...(statuses && { statuses: statuses.map((step) => this.rename(step)) }),
      ...(read.size > 0 && { values: [...read.values()] }),
    };
  }
}

/** An input that is not given. */
const NOTHING: ValueSource = { first: [] };
