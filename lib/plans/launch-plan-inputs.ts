import { kickoffText } from '../graph/kickoff.ts';
import { annotations } from '../graph/labels.ts';
import { isJson, type JsonObject } from '../values/json.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import { checkValue, type ObjectSchema } from '../values/schema.ts';
import { KickoffTime } from './kickoff-time.ts';

/** What takes the inputs of a plan. */
interface Taker {
  readonly name: string;
  readonly inputSchema: ObjectSchema;
}

/** What a plan says of inputs: the values that a launch may change, and those that it may not. */
export class LaunchPlanInputs {
  readonly #defaults: Readonly<Record<string, unknown>>;
  readonly #fixed: Readonly<Record<string, unknown>>;

  constructor(defaults: object = {}, fixed: object = {}) {
    this.#defaults = said(defaults);
    this.#fixed = said(fixed);
  }

  /** Those of a run that is launched without any. */
  get values(): JsonObject {
    const values = Object.entries({ ...this.#defaults, ...this.#fixed });
    return Object.fromEntries(values.filter(([, value]) => isJson(value))) as JsonObject;
  }

  /** Annotations of each run. */
  get notes(): Readonly<Record<string, string>> {
    const names = this.#kickoff;
    return names.length === 0 ? {} : { [annotations.kickoffInputs]: JSON.stringify(names) };
  }

  /** The names of those that are the time of a run. */
  get #kickoff(): readonly string[] {
    const all = Object.entries({ ...this.#defaults, ...this.#fixed });
    return all
      .filter(([, value]) => value instanceof KickoffTime)
      .map(([name]) => name)
      .sort();
  }

  /** What is wrong with them where nobody writes the time of a run into its inputs. */
  *kickoffProblems(): Generator<Problem> {
    for (const name of this.#kickoff)
      yield {
        path: `inputs.${name}`,
        message: 'cannot be the kickoff time of a single task, whose inputs are written into its pod at synth',
        fix: 'launch a workflow with the task as its step',
      };
  }

  /** The names of those that a launch may not change. */
  get fixed(): readonly string[] {
    return Object.keys(this.#fixed);
  }

  /** The names of those that it has values for. */
  get filled(): readonly string[] {
    return [...Object.keys(this.#defaults), ...this.fixed];
  }

  /**
   * What is wrong with them.
   *
   * @param complete whether nobody is there to give one that is missing
   */
  *problems({ name: taker, inputSchema }: Taker, complete: boolean): Generator<Problem> {
    const { properties, required } = inputSchema;
    for (const [field, values] of Object.entries({ inputs: this.#defaults, fixedInputs: this.#fixed }))
      for (const [name, value] of Object.entries(values)) {
        const path = `${field}.${name}`;
        const schema = properties[name];
        if (schema === undefined)
          yield { path, message: `${show(taker)} has no such input`, fix: suggest(name, Object.keys(properties)) };
        else if (value instanceof KickoffTime) {
          if (checkValue(schema, kickoffText(0), path).length > 0)
            yield {
              path,
              message: `cannot be the kickoff time, which is text such as ${show(kickoffText(0))}`,
              fix: 'give the input another type, such as z.iso.datetime(), or another value',
            };
        } else if (!isJson(value)) yield { path, message: `must be a value that JSON knows, not ${show(value)}` };
        else yield* checkValue(schema, value as never, path);
        if (field === 'inputs' && name in this.#fixed)
          yield { path, message: 'is both a default and a fixed input', fix: 'keep one' };
      }
    if (!complete) return;
    const filled = new Set(this.filled);
    for (const name of required)
      if (!filled.has(name))
        yield { path: `inputs.${name}`, message: 'is missing', fix: 'give it in inputs or fixedInputs' };
  }
}

/** `undefined` says nothing. */
function said(values: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
