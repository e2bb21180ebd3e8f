import type { JsonObject } from '../values/json.ts';
import type { Problem } from '../values/problems.ts';
import type { StepNode } from './graph.ts';
import type { ValueSource } from './value-source.ts';
import { mapRules } from './map-rules.ts';
import { indexedMapRules } from './indexed-map-rules.ts';
import { gateRules } from './gate-rules.ts';
import { beginRules, groupRules } from './group-rules.ts';
import { runRules } from './run-rules.ts';
import { serviceRules } from './service-rules.ts';
import { taskRules } from './task-rules.ts';

/** What the graph must know of a kind of step; its rules while it runs are in `lib/engine/kinds.ts`. */
export interface StepRules<Node> {
  /** Everything that a step takes values from, each with its place in the step, such as `inputs.site`. */
  sources(step: Node): Iterable<readonly [place: string, source: ValueSource]>;
  /** The step with other sources in the place of its own, and other steps in the place of those that it names by itself; the fields of all kinds are seen to. */
  replace(step: Node, by: Replacing): Node;
  /** Which of the fields that only this kind has are not what they must be. The document may be anything. */
  misfits(step: JsonObject): Iterable<Misfit>;
  /** What is wrong with a step whose fields all fit, beside its edges; `at` is where the step is told. */
  problems?(step: Node, at: string): Iterable<Problem>;
  /** How a picture tells the kind apart: what runs is a box, what only waits a pill. */
  readonly shape: 'box' | 'pill';
  /** What a picture says below the step's name. */
  caption(step: Node): string | undefined;
  /** What it does, for the picture's tooltip, such as `task extract`. */
  describe(step: Node): string;
}

/** What takes the place of the sources and steps that a step names. */
export interface Replacing {
  source(source: ValueSource): ValueSource;
  step(name: string): string;
}

/** The same for sources by name. */
export function replaceAll(sources: Readonly<Record<string, ValueSource>>, { source }: Replacing) {
  return Object.fromEntries(Object.entries(sources).map(([name, one]) => [name, source(one)]));
}

/** A field that is not what it must be. */
export interface Misfit {
  readonly field: string;
  /** What it must be, such as `a string`. */
  readonly expected: string;
}

type RulesByKind = { readonly [Kind in StepNode['kind']]: StepRules<Extract<StepNode, { readonly kind: Kind }>> };

const rules: RulesByKind = {
  task: taskRules,
  map: mapRules,
  indexedMap: indexedMapRules,
  service: serviceRules,
  gate: gateRules,
  run: runRules,
  begin: beginRules,
  group: groupRules,
};

/** The names of all kinds. */
export const stepKinds = Object.keys(rules);

/** The rules of a step's kind. */
export function rulesOf({ kind }: Pick<StepNode, 'kind'>): StepRules<StepNode> {
  return rules[kind] as StepRules<StepNode>;
}
