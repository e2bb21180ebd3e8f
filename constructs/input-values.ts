import type { ValueSource } from '../lib/graph/value-source.ts';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import { checkValue, withDefaults, type ObjectSchema } from '../lib/values/schema.ts';
import { containsReference, foreignProblem, references, toSource } from './sources.ts';

/** What takes inputs: a task, a workflow. */
export interface Taker {
  /** As messages name it, such as `task "extract"`. */
  readonly title: string;
  readonly inputSchema: ObjectSchema;
}

/** The values that a step gives to the inputs of what it runs. */
export class InputValues {
  readonly #taker: Taker;
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #defaults: Readonly<Record<string, unknown>>;

  /** @param defaults whether it takes what is not given from its schema, or somebody else knows better */
  constructor(
    taker: Taker,
    values: Readonly<Record<string, unknown>>,
    defaults: 'with defaults' | 'without defaults' = 'with defaults',
  ) {
    this.#taker = taker;
    this.#defaults = defaults === 'with defaults' ? withDefaults(taker.inputSchema, {}) : {};
    // `undefined` is how JavaScript says that an optional input is not given.
    this.#values = new Map(Object.entries(values).filter(([, value]) => value !== undefined));
  }

  /** What an input gets: the value that is given, or its default. */
  of(input: string): unknown {
    return this.#values.has(input) ? this.#values.get(input) : this.#defaults[input];
  }

  /** Where all of them come from, for the graph of a workflow. */
  sources(workflow: object): Record<string, ValueSource> {
    const all = new Map<string, unknown>([...Object.entries(this.#defaults), ...this.#values]);
    return Object.fromEntries([...all].map(([input, value]) => [input, toSource(value, workflow)]));
  }

  /** Whether a value is given, besides defaults. */
  gives(input: string): boolean {
    return this.#values.has(input);
  }

  /** What is wrong with them in a step of this workflow. */
  *problems(workflow: object): Generator<Problem> {
    const { title, inputSchema } = this.#taker;
    const { properties, required } = inputSchema;
    for (const [input, value] of this.#values) {
      const path = `inputs.${input}`;
      const schema = properties[input];
      if (schema === undefined)
        yield { path, message: `${title} has no such input`, fix: suggest(input, Object.keys(properties)) };
      else if (!containsReference(value)) yield* checkValue(schema, value as never, path);
      for (const reference of references(value)) yield* foreignProblem(reference, workflow, path);
    }
    for (const input of required)
      if (!this.#values.has(input)) yield { path: `inputs.${input}`, message: 'is missing', fix: `${title} needs it` };
  }
}

/** How a message names what takes inputs. */
export const titleOf = (kind: 'task' | 'workflow' | 'launch plan', name: string) => `${kind} ${show(name)}`;
