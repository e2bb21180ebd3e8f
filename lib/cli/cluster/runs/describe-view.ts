import type { JsonObject } from '../../../values/json.ts';
import { formatAge } from '../../terminal/duration.ts';
import type { Colors } from '../../terminal/output.ts';
import { overrideLines } from '../../pods/override-lines.ts';
import { eventColumns } from '../events/event-view.ts';
import type { RunView, StepView } from './run-view.ts';
import type { PhaseStyle } from '../../terminal/phases.ts';
import { paintRunPhase } from './runs-view.ts';
import { elapsed, stepTable } from '../../terminal/step-lines.ts';
import { labels } from '../../../graph/labels.ts';
import type { EventObject, RunPod } from '../../../runs/run-objects.ts';
import { formatTable, type Column } from '../../terminal/table.ts';
import { flagsElsewhere } from '../cluster-session.ts';

/** What `describe` prints. */
export interface Description {
  readonly run: RunView;
  readonly notes: readonly string[];
  readonly pods: readonly RunPod[];
  /** Oldest first. */
  readonly events: readonly EventObject[];
}

/** How to print it. */
export interface DescribeStyle {
  readonly colors: Colors;
  readonly phases: PhaseStyle;
  readonly now: number;
  /** How the user calls this program. */
  readonly program: string;
  /** What the user must add to reach the same cluster and namespace, see {@link clusterFlags}. */
  readonly flags?: string;
  readonly wide?: boolean;
}

/** A run for people: what it is, how its steps stand, why it failed and what to look at next. */
export function describeText({ run, notes, pods, events }: Description, style: DescribeStyle): string {
  const { colors } = style;
  const sections = [
    headText(run, style),
    run.steps.length === 0 ? '' : stepTable(run.steps, style.phases, { wide: style.wide }),
    failuresText(run, style),
    childTable(run),
    elsewhereText(run, style),
    repeatedText(run),
    pods.length === 0 ? '' : podTable(pods, style),
    events.length === 0 ? '' : eventTable(events, style),
    notes.map((note) => `${colors.yellow('note:')} ${note}\n`).join(''),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

/** Values by name, one a line. */
export function valueLines(values: JsonObject | undefined): string[] {
  return Object.entries(values ?? {}).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
}

function headText(run: RunView, { colors, now }: DescribeStyle): string {
  const { progress, version } = run;
  const why = [run.reason, run.message].filter((part) => part !== undefined).join(': ');
  const fields: [string, readonly string[]][] = [
    ['Run', [colors.bold(run.name)]],
    ['Namespace', [run.namespace]],
    ['Plan', run.plan === undefined ? [] : [run.plan]],
    ['Step of', run.within === undefined ? [] : [stepOfText(run.within)]],
    ['Rerun of', run.rerunOf === undefined ? [] : [run.rerunOf]],
    ['Priority', run.priority === undefined ? [] : [String(run.priority)]],
    [
      'Workflow',
      run.workflow === undefined ? [] : [`${run.workflow}${version === undefined ? '' : ` (version ${version})`}`],
    ],
    ['Phase', [paintRunPhase(run.phase, colors)(run.phase)]],
    ['Because', why === '' || run.phase === 'Succeeded' ? [] : [why]],
    ['Steps', progress === undefined ? [] : [`${progress.succeeded}/${progress.total} done${activeText(progress)}`]],
    ['Created', [timeText(run.createdAt, now)]],
    ['Started', run.startedAt === undefined ? [] : [timeText(run.startedAt, now)]],
    ['Finished', run.finishedAt === undefined ? [] : [timeText(run.finishedAt, now)]],
    ['Duration', run.durationSeconds === undefined ? [] : [elapsed(run.durationSeconds)]],
    ['Inputs', valueLines(run.inputs)],
    ['Override', run.override === undefined ? [] : overrideLines(run.override)],
    ['Outputs', valueLines(run.outputs)],
  ];
  return fields
    .flatMap(([name, lines]) => lines.map((line, index) => `${(index === 0 ? `${name}:` : '').padEnd(12)}${line}\n`))
    .join('');
}

function stepOfText({ run, step, parentCluster }: NonNullable<RunView['within']>): string {
  return `${run} (${step})${parentCluster === undefined ? '' : `, on another cluster (kube-system ${parentCluster})`}`;
}

function activeText({ active, failed }: NonNullable<RunView['progress']>): string {
  return `${active > 0 ? `, ${active} running` : ''}${failed > 0 ? `, ${failed} failed` : ''}`;
}

/** The steps that failed, with every attempt, and where to read on. */
export function failuresText(run: RunView, style: Omit<DescribeStyle, 'phases'>): string {
  const { colors, program, flags = '' } = style;
  if (run.steps.length === 0) {
    return run.phase === 'Failed' ? `Its log: ${colors.bold(`${program} logs ${run.name}${flags}`)}\n` : '';
  }
  const failed = run.steps.filter(({ phase }) => phase === 'Failed');
  return failed.map((step) => failureText(run, step, style)).join('\n');
}

/** The steps that did not fail and took several attempts, with every attempt. */
function repeatedText({ steps }: RunView): string {
  const repeated = steps.filter(({ phase, attempts }) => phase !== 'Failed' && attempts.length > 1);
  return repeated
    .map(({ name, phase, attempts }) => `Step ${name}, ${phase}:\n${attemptLines(attempts).join('')}`)
    .join('\n');
}

function attemptLines(attempts: StepView['attempts']): string[] {
  return attempts.map(({ number, phase, reason, message, durationSeconds, object }) => {
    const why = [phase === 'Succeeded' ? phase : reason, message].filter((part) => part !== undefined).join(': ');
    return `  attempt ${number} (${object}, ${elapsed(durationSeconds)}): ${why}\n`;
  });
}

function failureText(
  run: RunView,
  step: StepView,
  { colors, program, flags = '' }: Omit<DescribeStyle, 'phases'>,
): string {
  const more = step.attempts.length > 1 ? ' --all-attempts' : '';
  const hint =
    step.attempts.length === 0
      ? ''
      : step.attempts[0]!.object.startsWith(RUN_OBJECT)
        ? `  its steps: ${colors.bold(`${program} describe ${step.attempts.at(-1)!.object.slice(RUN_OBJECT.length)}${flagsTo(run, step, flags)}`)}\n`
        : `  its log: ${colors.bold(`${program} logs ${run.name} ${step.name}${more}${flags}`)}\n`;
  const why = step.message === undefined ? step.reason : `${step.reason}: ${step.message}`;
  return `${colors.red(`Step ${step.name} failed`)}: ${why}\n${attemptLines(step.attempts).join('')}${hint}`;
}

/** The runs that are steps of it. */
function childTable({ steps }: RunView): string {
  const runs = steps.flatMap(({ name, cluster, attempts }) =>
    attempts
      .filter(({ object }) => object.startsWith(RUN_OBJECT))
      .map((attempt) => ({ step: name, cluster, ...attempt })),
  );
  if (runs.length === 0) return '';
  const isElsewhere = runs.some(({ cluster }) => cluster !== undefined);
  const cluster: Column<(typeof runs)[number]> = { header: 'CLUSTER', value: (child) => child.cluster ?? '-' };
  return formatTable(
    [
      { header: 'RUN', value: ({ object }) => object.slice(RUN_OBJECT.length) },
      { header: 'STEP', value: ({ step }) => step },
      ...(isElsewhere ? [cluster] : []),
      { header: 'PHASE', value: ({ phase, reason }) => (reason === 'RunPending' ? 'Pending' : phase) },
      { header: 'DURATION', value: ({ durationSeconds }) => elapsed(durationSeconds) },
    ],
    runs,
  );
}

/** How to look at a run on another cluster, one for each cluster. */
function elsewhereText(run: RunView, { colors, program, flags = '' }: DescribeStyle): string {
  const last = new Map(run.steps.flatMap((step) => (step.cluster === undefined ? [] : [[step.cluster, step]])));
  return [...last.values()]
    .flatMap((step) => {
      const object = step.attempts.at(-1)?.object.slice(RUN_OBJECT.length);
      const command = `${program} describe ${object}${flagsTo(run, step, flags)}`;
      return object === undefined ? [] : [`On cluster ${step.cluster}: ${colors.bold(command)}\n`];
    })
    .join('');
}

/** What the user must add to reach the run of a step. */
function flagsTo({ namespace }: RunView, { cluster }: StepView, flags: string): string {
  return cluster === undefined ? flags : flagsElsewhere(flags, cluster, namespace);
}

const RUN_OBJECT = 'run/';

function podTable(pods: readonly RunPod[], { now }: DescribeStyle): string {
  return formatTable(
    [
      { header: 'POD', value: ({ metadata }: RunPod) => metadata.name },
      { header: 'STEP', value: ({ metadata }) => metadata.labels?.[labels.step] ?? '-' },
      { header: 'STATUS', value: podStatus },
      { header: 'NODE', value: ({ spec }) => spec.nodeName ?? '-' },
      { header: 'AGE', value: ({ metadata }) => formatAge(metadata.creationTimestamp, now) },
    ],
    pods,
  );
}

/** The word that kubectl shows for a pod: why it waits or how it ended, where that is known. */
export function podStatus({ metadata, status }: RunPod): string {
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  for (const { state } of status?.containerStatuses ?? []) {
    if (state?.waiting?.reason !== undefined) return state.waiting.reason;
    if (state?.terminated?.reason !== undefined) return state.terminated.reason;
  }
  return status?.reason ?? status?.phase ?? 'Pending';
}

function eventTable(events: readonly EventObject[], { now, colors }: DescribeStyle): string {
  return formatTable(eventColumns(now, colors), events);
}

function timeText(time: string | undefined, now: number): string {
  return time === undefined ? '<unknown>' : `${time} (${formatAge(time, now)} ago)`;
}
