import type { V1Container } from '@kubernetes/client-node/dist/gen/models/V1Container.js';
import { attemptObjectName } from '../graph/object-names.ts';
import { attemptEnvironment, expandArgument, fileVariable } from '../values/environment.ts';
import type { Json } from '../values/json.ts';
import { INDEX_VARIABLE } from '../pods/indexed-template.ts';
import { MAIN_CONTAINER, type PodTemplate } from '../pods/template.ts';
import { localEnvironment } from './local-environment.ts';
import { planProbe, type ProbePlan } from './readiness-probe.ts';

/** What is started for an attempt. */
export interface AttemptPlan {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Time between being asked to end and being killed. */
  readonly graceMs: number;
  /** Of a service: how it is found out that it is ready. Left out where it is as soon as it runs. */
  readonly probe?: ProbePlan;
}

/** What an attempt is made of. */
export interface AttemptRequest {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  readonly template: PodTemplate | undefined;
  readonly inputs: Readonly<Record<string, Json>>;
  /** Of an item of an indexed map: its number, and the files with the values that differ by item. */
  readonly item?: { readonly index: number; readonly files: Readonly<Record<string, string>> };
  readonly outputsPath: string;
  /** @default none */
  readonly artifacts?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Whether others wait until it is ready. @default false */
  readonly isService?: boolean;
}

const DEFAULT_GRACE_SECONDS = 30;

/** The program of an attempt as this machine can run it, or why it cannot. */
export function planAttempt(request: AttemptRequest): AttemptPlan | { readonly problem: string } {
  const { run, step, attempt, template, outputsPath, artifacts } = request;
  const container = template?.spec?.containers.find(({ name }) => name === MAIN_CONTAINER);
  if (template === undefined || container === undefined)
    return { problem: `its pod template has no container "${MAIN_CONTAINER}"` };
  const contract = {
    ...attemptEnvironment({ run, step, attempt, outputsPath, artifacts }, request.inputs),
    ...(request.item && itemEnvironment(request.item)),
  };
  const podName = attemptObjectName(run, step, attempt);
  const { env, configMaps } = request;
  const { inherited, own, missing } = localEnvironment(container, contract, { env, configMaps, podName, template });
  if (missing.length > 0)
    return {
      problem: `not on this machine: ${missing.join(', ')}; set ${missing.length === 1 ? 'the variable' : 'these variables'} in your environment`,
    };
  if (container.command === undefined || container.command.length === 0)
    return {
      problem: `the task has no command: it runs the entrypoint of ${container.image ?? 'its image'}, which is not on this machine; give the task a command`,
    };
  const [command, ...args] = [...container.command, ...(container.args ?? [])].map((word) => expandArgument(word, own));
  const probe = request.isService === true ? planProbe(container as V1Container) : undefined;
  if (probe !== undefined && 'problem' in probe) return probe;
  const grace = template.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
  return { command: command!, args, env: { ...inherited, ...own }, graceMs: grace * 1000, ...(probe && { probe }) };
}

function itemEnvironment({ index, files }: NonNullable<AttemptRequest['item']>): Record<string, string> {
  const paths = Object.entries(files).map(([input, path]) => [fileVariable(input), path]);
  return { [INDEX_VARIABLE]: String(index), ...Object.fromEntries(paths) };
}

/** What of a pod template has no meaning on this machine, in words. */
export function localLimits(template: PodTemplate): readonly string[] {
  const { spec } = template;
  const main = spec?.containers.find(({ name }) => name === MAIN_CONTAINER);
  const others = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].filter(
    (container) => container !== main,
  );
  const limits: string[] = [];
  if (others.length > 0) limits.push(`${names(others)} ${others.length === 1 ? 'is' : 'are'} not started`);
  const mounts = main?.volumeMounts ?? [];
  if (mounts.length > 0) limits.push(`nothing is mounted at ${mounts.map(({ mountPath }) => mountPath).join(', ')}`);
  const secrets = main?.envFrom?.filter(({ secretRef }) => secretRef !== undefined) ?? [];
  if (secrets.length > 0)
    limits.push(
      `variables of Secret ${secrets.map(({ secretRef }) => secretRef?.name).join(', ')} are taken from your environment`,
    );
  return limits;
}

function names(containers: readonly { readonly name: string }[]): string {
  return `container${containers.length === 1 ? '' : 's'} ${containers.map(({ name }) => name).join(', ')}`;
}
