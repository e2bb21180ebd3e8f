import { writeFileSync } from 'node:fs';
import type { Command } from '../engine/advance.ts';
import { holeValues } from '../engine/hole-values.ts';
import { itemValues } from '../engine/item-values.ts';
import { findAttempted, graphStepName, itemName } from '../graph/items.ts';
import type { ContainerStep, IndexedMapStep } from '../graph/graph.ts';
import type { Topology } from '../graph/topology.ts';
import { itemVariableProblems } from '../pods/indexed-template.ts';
import { artifactsUri, encodeValue } from '../values/environment.ts';
import { formatProblem, InvalidError } from '../values/problems.ts';
import { planAttempt, type AttemptPlan, type AttemptRequest } from './attempt-plan.ts';
import { localTemplate } from './local-template.ts';
import type { LocalRun, RunDirectory } from './run-directory.ts';

/** What the program of a step's attempt follows from. */
export interface StepRequest {
  readonly run: LocalRun;
  readonly directory: RunDirectory;
  /** The user's environment. */
  readonly env: AttemptRequest['env'];
  readonly topology: Topology;
  /** A step that runs a task, or an item of a map. */
  readonly step: string;
  readonly attempt: number;
  readonly values: Pick<Command & { readonly kind: 'start' }, 'inputs' | 'pod' | 'items'>;
  /** Of an indexed map: which of its items. */
  readonly item?: number;
}

/** Why an attempt cannot be started here. */
export interface NoPlan {
  readonly problem: string;
  readonly reason: 'StartError' | 'Rejected';
}

/** The program of an attempt as this machine can run it, with the files that it finds its values in, or why it cannot. */
export function planStep(request: StepRequest): AttemptPlan | NoPlan {
  const { run, directory, env, topology, step, attempt, values, item } = request;
  const { configMaps, name } = run;
  const node = findAttempted(topology, step) as ContainerStep | IndexedMapStep;
  const named = item === undefined ? step : itemName(step, item);
  const outputsPath = directory.outputsFile(named, attempt);
  try {
    const template = localTemplate(run, graphStepName(topology, step), holeValues(node, values.pod));
    const problems = [...itemVariableProblems(template ?? {}, Object.keys(values.items?.lists ?? {}))];
    if (problems.length > 0) throw new InvalidError(`The pods of step ${step}`, problems);
    const { inputs } = values;
    const isService = node.kind === 'service';
    const root = run.policy?.artifactRoot;
    const artifacts = root && artifactsUri(root, name, named, String(attempt));
    const plain = {
      run: name,
      step: named,
      attempt,
      template,
      inputs,
      outputsPath,
      artifacts,
      env,
      configMaps,
      isService,
    };
    const files = item === undefined ? undefined : { item: { index: item, files: writeValues(request, named, item) } };
    const plan = planAttempt({ ...plain, ...files });
    return 'problem' in plan ? { ...plan, reason: 'StartError' } : plan;
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    return { problem: error.problems.map(formatProblem).join('; '), reason: 'Rejected' };
  }
}

/** Writes the values that an item finds in files; gives their paths by input. */
function writeValues({ directory, attempt, values }: StepRequest, name: string, item: number): Record<string, string> {
  const written = Object.entries(itemValues(values.items!.lists, item)).map(([input, value]) => {
    const file = directory.inputFile(name, attempt, input);
    writeFileSync(file, encodeValue(value));
    return [input, file] as const;
  });
  return Object.fromEntries(written);
}
