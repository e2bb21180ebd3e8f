import { isJsonObject } from '../values/json.ts';
import type { Problem } from '../values/problems.ts';
import type { RunStep } from './graph.ts';
import { isRetryPolicy, retryProblems } from './retries.ts';
import { isNumber, isSources, isString, misfits } from './shapes.ts';
import { replaceAll, type StepRules } from './step-kinds.ts';

/** What the graph must know of a step that is a run of its own. */
export const runRules: StepRules<RunStep> = {
  *sources({ inputs }) {
    for (const [name, source] of Object.entries(inputs)) yield [`inputs.${name}`, source];
  },
  replace: (step, by) => ({ ...step, inputs: replaceAll(step.inputs, by) }),
  misfits: (step) =>
    misfits(step, {
      runs: ['a graph or a plan', isRunSource],
      cluster: ['a string', isString, 'optional'],
      inputs: ['an object of value sources', isSources],
      maxDepth: ['a number', isNumber, 'optional'],
      retries: ['a retry policy', isRetryPolicy, 'optional'],
      systemRetries: ['a number', isNumber, 'optional'],
      attemptTimeoutSeconds: ['a number', isNumber, 'optional'],
    }),
  *problems(step, at): Generator<Problem> {
    yield* retryProblems(step, at);
    const { maxDepth, runs, retries } = step;
    if (maxDepth !== undefined && !isCount(maxDepth))
      yield { path: `${at}.maxDepth`, message: `must be a whole number from 1, not ${maxDepth}` };
    if ('graph' in runs && runs.parallelism !== undefined && !isCount(runs.parallelism))
      yield { path: `${at}.parallelism`, message: `must be a whole number from 1, not ${runs.parallelism}` };
    if (retries?.resourcesAfterOOM !== undefined)
      yield { path: `${at}.retries.resourcesAfterOOM`, message: 'is for steps with a pod', fix: 'remove it' };
  },
  shape: 'box',
  caption: whatRuns,
  describe: whatRuns,
};

/** `run of score`, `run of plan nightly on gpu-eu`: what a step starts, in words. */
export function whatRuns({ runs, cluster }: Pick<RunStep, 'runs' | 'cluster'>): string {
  const what = 'plan' in runs ? `run of plan ${runs.plan}` : `run of ${runs.workflow}`;
  return cluster === undefined ? what : `${what} on ${cluster}`;
}

function isRunSource(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  if ('plan' in value) return isString(value.plan);
  const { workflow, graph, version, parallelism } = value;
  return [workflow, graph, version].every(isString) && (parallelism === undefined || isNumber(parallelism));
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;

const NAMED_RUNS = 6;

/** Why a run is not started, in a sentence that names those that it would be in, the outermost first. */
export function recursionProblem(within: readonly string[], maxDepth: number): string {
  const named = within.length > NAMED_RUNS ? [within[0], '...', ...within.slice(1 - NAMED_RUNS)] : within;
  return `${within.length} runs are one in the other already, and at most ${maxDepth} may be: ${named.join(' -> ')}`;
}
