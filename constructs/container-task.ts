import type { Construct } from 'constructs';
import { basename } from 'node:path/posix';
import type { OrReference } from '../lib/pods/template.ts';
import { hasInputMarker, inputMarker, inputVariable, toKubernetesArgument } from '../lib/values/environment.ts';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import type { NoValues, Shape } from '../lib/values/shape.ts';
import { Task, type FromInputs, type TaskProps, type TaskScope } from './task.ts';

/**
 * Arguments as text, or as a function of the inputs: `({ site }) => ['--site', site]`. Each input stands for
 * `$(INPUT_SITE)`, which Kubernetes replaces by the value as it is. A `$(` of your own reaches the program unchanged.
 */
export type Arguments<I extends Shape> =
  readonly string[] | ((inputs: { readonly [Name in keyof I]: string }) => readonly string[]);

export interface ContainerTaskProps<I extends Shape = NoValues, O extends Shape = NoValues> extends TaskProps<I, O> {
  /** The image of the container that does the work. */
  readonly image: FromInputs<OrReference<string, TaskScope>, I>;
  /** What to run. @default the image's entrypoint */
  readonly command?: Arguments<I>;
  /** Its arguments. @default the image's, if `command` is not set either */
  readonly args?: Arguments<I>;
}

/**
 * A task that runs a container to its end.
 *
 * @example
 * new ContainerTask(this, 'extract', {
 *   image: 'ghcr.io/acme/etl:1.4',
 *   inputs: { site: z.string() },
 *   outputs: { rows: z.int() },
 *   args: ({ site }) => ['extract', '--site', site],
 * });
 */
export class ContainerTask<I extends Shape = NoValues, O extends Shape = NoValues> extends Task<I, O> {
  readonly #commandLine: readonly string[];

  constructor(scope: Construct, id: string, props: ContainerTaskProps<I, O>) {
    const { command, args, ...rest } = props;
    const written = { command: evaluate(command, props.inputs), args: evaluate(args, props.inputs) };
    super(scope, id, rest, {
      ...(written.command && { command: written.command.map(toKubernetesArgument) }),
      ...(written.args && { args: written.args.map(toKubernetesArgument) }),
    });
    this.#commandLine = [...(written.command ?? []), ...(written.args ?? [])];
  }

  protected override problems(): readonly Problem[] {
    return [
      ...nameProblems(this.name),
      ...variableProblems(Object.keys(this.inputs)),
      ...scriptProblems(this.#commandLine),
    ];
  }
}

function evaluate<I extends Shape>(
  given: Arguments<I> | undefined,
  inputs: I | undefined,
): readonly string[] | undefined {
  if (typeof given !== 'function') return given;
  const markers = Object.fromEntries(Object.keys(inputs ?? {}).map((name) => [name, inputMarker(name)]));
  return given(markers as { readonly [Name in keyof I]: string });
}

function* nameProblems(name: string): Generator<Problem> {
  const wrong = dnsLabelProblem(name);
  if (wrong !== undefined) yield { path: 'name', message: `${show(name)} ${wrong}` };
}

function* variableProblems(inputs: readonly string[]): Generator<Problem> {
  const taken = new Map<string, string>();
  for (const input of inputs) {
    const variable = inputVariable(input);
    const other = taken.get(variable);
    if (other !== undefined)
      yield { path: `inputs.${input}`, message: `is ${variable}, as ${show(other)} is`, fix: 'rename one' };
    taken.set(variable, input);
  }
}

const SHELLS = new Set(['sh', 'bash', 'ash', 'dash', 'zsh', 'ksh']);

// An input inside the text of a script would be read as code: `; rm -rf /` is a fine name for a site.
function* scriptProblems(commandLine: readonly string[]): Generator<Problem> {
  const shell = commandLine.findIndex((word) => SHELLS.has(basename(word)));
  const option = commandLine.findIndex((word, index) => index > shell && /^-[a-z]*c$/.test(word));
  const script = shell < 0 || option < 0 ? undefined : commandLine[option + 1];
  if (script !== undefined && hasInputMarker(script))
    yield {
      path: 'command',
      message: `puts an input into the script of ${show(commandLine[shell])}, where its value would run as code`,
      fix: 'write "$INPUT_<NAME>" in the script, with the quotes',
    };
}
