import type { V1Container } from '@kubernetes/client-node/dist/gen/models/V1Container.js';
import type { V1EnvVar } from '@kubernetes/client-node/dist/gen/models/V1EnvVar.js';
import { fileVariable, inputVariable } from '../values/environment.ts';
import type { Problem } from '../values/problems.ts';
import { MAIN_CONTAINER, type PodTemplate } from './template.ts';

/** What Kubernetes calls the number of an item, in the environment of its containers. (pkg/controller/job/indexed_job_utils.go) */
export const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX';
export const INDEX_ANNOTATION = 'batch.kubernetes.io/job-completion-index';

const VOLUME = 'workflow-items';
const DIRECTORY = '/var/run/workflow';

/** The key of a value in the ConfigMaps of the items. */
export function itemKey(input: string, item: number): string {
  return `${inputVariable(input)}.${item}`;
}

/** What all items of an Indexed Job have in common. */
export interface ItemFiles {
  /** Name of the map step. */
  readonly step: string;
  /** The inputs whose values differ by item. */
  readonly inputs: readonly string[];
  /** The ConfigMaps that have the values, each under its {@link itemKey}. */
  readonly configMaps: readonly string[];
  /** For one try of an item. @default what the template says */
  readonly timeoutSeconds?: number | undefined;
}

/**
 * The template of an Indexed Job's pods: no variable can differ by index in it, so values that do come as files. Which one it
 * is follows from the index, which the kubelet puts into the path. (KEP-559: subPathExpr)
 */
export function indexedTemplate(template: PodTemplate, files: ItemFiles): PodTemplate {
  const { spec = { containers: [] } } = template;
  const sources = files.configMaps.map((name) => ({ configMap: { name } }));
  const { timeoutSeconds = spec.activeDeadlineSeconds } = files;
  return {
    ...template,
    spec: {
      ...spec,
      ...(timeoutSeconds !== undefined && { activeDeadlineSeconds: timeoutSeconds }),
      volumes: [...(spec.volumes ?? []), { name: VOLUME, projected: { sources } }],
      containers: spec.containers.map((container) =>
        container.name === MAIN_CONTAINER ? withFiles(container, files) : container,
      ),
    },
  };
}

function withFiles(container: V1Container, { step, inputs }: ItemFiles): V1Container {
  const fieldPath = `metadata.annotations['${INDEX_ANNOTATION}']`;
  const ours: V1EnvVar[] = [
    { name: INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath } } },
    { name: 'WORKFLOW_STEP', value: `${step}-$(${INDEX_VARIABLE})` },
    ...inputs.map((input) => ({ name: fileVariable(input), value: pathOf(input) })),
  ];
  const own = new Set(container.env?.map(({ name }) => name));
  const mounts = inputs.map((input) => ({
    name: VOLUME,
    mountPath: pathOf(input),
    subPathExpr: `${inputVariable(input)}.$(${INDEX_VARIABLE})`,
    readOnly: true,
  }));
  return {
    ...container,
    env: [...ours.filter(({ name }) => !own.has(name)), ...(container.env ?? [])],
    volumeMounts: [...(container.volumeMounts ?? []), ...mounts],
  };
}

const pathOf = (input: string) => `${DIRECTORY}/${inputVariable(input)}`;

/**
 * Where a template reads the variable of an input that differs by item, which an Indexed Job's pods do not have.
 *
 * @param inputs those whose values differ by item
 */
export function* itemVariableProblems(template: PodTemplate, inputs: readonly string[]): Generator<Problem> {
  const { containers = [], initContainers = [] } = template.spec ?? {};
  for (const [list, all] of Object.entries({ initContainers, containers }))
    for (const container of all)
      for (const input of inputs)
        if (reads(container, input))
          yield {
            path: `spec.${list}[${container.name}]`,
            message: `reads ${inputVariable(input)}, and all items of an Indexed Job have one pod template`,
            fix: `read the file "$${fileVariable(input)}", or leave out runAs: 'IndexedJob'`,
          };
}

/** Text of a shell may name the variable where it stands for nothing, as long as it knows of the file. */
function reads({ command = [], args = [], env = [] }: V1Container, input: string): boolean {
  const words = [...command, ...args];
  const texts = [...words, ...env.map(({ value = '' }) => value)];
  const variable = inputVariable(input);
  const expanded = new RegExp(`(?<!\\$)(?:\\$\\$)*\\$\\(${variable}\\)`);
  if (texts.some((text) => expanded.test(text))) return true;
  const inShell = new RegExp(`\\$(?:${variable}(?!\\w)|\\{${variable}\\W)`);
  return words.some((text) => inShell.test(text)) && !words.some((text) => text.includes(fileVariable(input)));
}
