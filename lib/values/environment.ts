import type { Json } from './json.ts';

/**
 * How values reach a container: one environment variable an input, and `$(INPUT_SITE)` in `command` and
 * `args`, which the kubelet expands. There is no text templating, so a value can never become code.
 */

/** `modelUri` is `INPUT_MODEL_URI`, `site-name` is `INPUT_SITE_NAME`. */
export function inputVariable(input: string): string {
  const words = input.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/[^A-Za-z0-9]+/g, '_');
  return `INPUT_${words.toUpperCase()}`;
}

/** Where an item of an Indexed Job finds the value of an input that differs by item: `INPUT_SHARD_FILE` is the path of a file. */
export function fileVariable(input: string): string {
  return `${inputVariable(input)}_FILE`;
}

/** A value as text: strings as they are, everything else as JSON. */
export function encodeValue(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The variables that every attempt of a step finds beside its inputs. */
export interface AttemptIdentity {
  readonly run: string;
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Where the attempt writes its outputs, as one JSON object. */
  readonly outputsPath: string;
  /** URI under which it stores what is too large for outputs. @default none */
  readonly artifacts?: string | undefined;
}

/** The URI of what belongs to one place under a root. */
export function artifactsUri(root: string, ...place: readonly string[]): string {
  return [root.replace(/\/+$/, ''), ...place].join('/');
}

/** The whole environment contract of an attempt, the same in a pod and on a laptop. */
export function attemptEnvironment(
  identity: AttemptIdentity,
  inputs: Readonly<Record<string, Json>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(inputs)) environment[inputVariable(name)] = encodeValue(value);
  environment.WORKFLOW_RUN = identity.run;
  environment.WORKFLOW_STEP = identity.step;
  environment.WORKFLOW_ATTEMPT = String(identity.attempt);
  environment.WORKFLOW_OUTPUTS = identity.outputsPath;
  if (identity.artifacts !== undefined) environment.WORKFLOW_ARTIFACTS = identity.artifacts;
  return environment;
}

// Noncharacters of Unicode: they cannot stand in any text that is meant for people or programs.
const OPEN = '\ufdd0';
const CLOSE = '\ufdd1';

// A dollar before a marker counts as one before a parenthesis: that is what the marker becomes.
const DOLLARS = new RegExp(`(\\$+)([(${OPEN}]?)`, 'g');

/** The text that stands for an input while an author's `args` function runs; {@link toKubernetesArgument} turns it into `$(INPUT_SITE)`. */
export function inputMarker(input: string): string {
  return `${OPEN}${inputVariable(input)}${CLOSE}`;
}

export function hasInputMarker(text: string): boolean {
  return text.includes(OPEN);
}

/** An argument as a pod carries it: markers become `$(INPUT_SITE)`, everything else reaches the program as it was written. */
export function toKubernetesArgument(text: string): string {
  return escapeExpansion(text).replaceAll(OPEN, '$(').replaceAll(CLOSE, ')');
}

/**
 * Text that the kubelet's expansion gives back unchanged: `$(` is written `$$(`, and `$$` is written `$$$$`.
 * (Kubernetes: third_party/forked/golang/expansion)
 */
export function escapeExpansion(text: string): string {
  return text.replace(DOLLARS, (run, dollars: string, next: string) =>
    dollars.length > 1 || next !== '' ? `${dollars}${dollars}${next}` : run,
  );
}

/** What the kubelet does to `command`, `args` and `env`: `$(NAME)` becomes the variable's value when it exists, `$$` a `$`. */
export function expandArgument(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, after: string, name: string | undefined) => {
    if (after === '$') return '$';
    return (name !== undefined ? environment[name] : undefined) ?? whole;
  });
}
