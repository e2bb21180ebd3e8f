import { isPauseByHand, isSuspensionByHand } from '../../../fleet/failover/switched-by-hand.ts';
import { kickoffNames } from '../../../graph/kickoff.ts';
import { annotations, DEFAULT_PARALLELISM, DOMAIN, MANAGED_BY_LABEL } from '../../../graph/labels.ts';
import { timetableOf, timetableText } from '../../../graph/timetable.ts';
import { fixedInputs } from '../../../runs/plan-inputs.ts';
import type { PlanCronJob } from '../../../runs/run-objects.ts';
import { objectIn } from '../../../runs/run-summary.ts';
import { DEFAULT_FAILURE_POLICY, type Graph } from '../../../graph/graph.ts';
import { readRunPolicy } from '../../../graph/run-policy.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../values/json.ts';
import { isScheduled } from '../../../runs/plan-identity.ts';

/** A setting of a plan that holds. */
export interface PlanSetting {
  /** As the props of a plan name it; of maps with the key. */
  readonly name: string;
  readonly value: Json;
  /** Who set it: `default`, `fleet`, `workflow`, `group` or `plan`, several with `+`; `by hand` what a command changed. */
  readonly setBy: string;
}

/**
 * Everything that holds for the runs of a plan, unless their launch says otherwise, and who set it.
 *
 * @param graph that of its workflow, where it can be read
 */
export function planSettings(plan: PlanCronJob, graph?: Graph): readonly PlanSetting[] {
  const { metadata, spec } = plan;
  const { metadata: made = {}, spec: job } = spec.jobTemplate;
  const { annotations: notes = {}, labels = {} } = made;
  const origins = objectIn(metadata, annotations.settingOrigins) ?? {};
  const driven = job.managedBy === undefined && notes[annotations.graph] !== undefined;
  const settings: PlanSetting[] = [];
  const add = (name: string, value: Json | undefined, standard?: Json) => {
    if (value === undefined) return;
    const said = origins[name];
    const setBy = typeof said === 'string' ? said : value === standard ? 'default' : 'plan';
    settings.push({ name, value, setBy });
  };
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const scheduled = isScheduled(plan);
  add('schedule', scheduled ? timetableText(timetableOf(spec)) : undefined);
  add('timeZone', spec.timeZone);
  if (isSuspensionByHand(plan)) settings.push({ name: 'suspended', value: spec.suspend === true, setBy: 'by hand' });
  else if (scheduled) add('suspended', spec.suspend === true, false);
  add('concurrencyPolicy', concurrencyOf(plan), 'Forbid');
  add('startingDeadline', seconds(spec.startingDeadlineSeconds));
  add('catchUp', notes[annotations.catchUp], 'latest');
  add('between', objectIn(made, annotations.between));
  const paused = notes[annotations.pausedUntil];
  if (paused !== undefined && isPauseByHand(plan))
    settings.push({ name: 'pausedUntil', value: paused, setBy: 'by hand' });
  else add('pausedUntil', paused);
  add('successfulRunsHistoryLimit', spec.successfulJobsHistoryLimit as Json | undefined, 3);
  add('failedRunsHistoryLimit', spec.failedJobsHistoryLimit as Json | undefined, 3);
  if (notes[annotations.graph] !== undefined)
    add('parallelism', driven ? number(notes[annotations.parallelism]) : job.parallelism, DEFAULT_PARALLELISM);
  add('priority', number(notes[annotations.priority]));
  add('timeout', seconds(job.activeDeadlineSeconds));
  add('ttlAfterFinished', seconds(job.ttlSecondsAfterFinished));
  add('cache', notes[annotations.cache]);
  const { failurePolicy, retries, spot, artifactRoot } = readRunPolicy(notes).policy;
  add('failurePolicy', failurePolicy);
  if (failurePolicy === undefined && graph !== undefined)
    settings.push({
      name: 'failurePolicy',
      value: graph.failurePolicy,
      setBy: graph.failurePolicy === DEFAULT_FAILURE_POLICY ? 'default' : 'workflow',
    });
  add('retries', retries as Json | undefined);
  add('spot', spot as Json | undefined);
  add('artifactRoot', artifactRoot);
  if (driven) add('driver', true);
  const { notifications, runUrl } = objectIn(made, annotations.notifications) ?? {};
  if (isJsonObject(notifications))
    for (const [name, said] of Object.entries(notifications as JsonObject)) add(`notifications.${name}`, said);
  add('runUrl', runUrl);
  const fixed = fixedInputs(plan);
  const given = objectIn(made, annotations.inputs) ?? {};
  const atKickoff = kickoffNames(made).map((input) => [input, '<kickoff time>'] as const);
  for (const [input, value] of [...Object.entries(given), ...atKickoff])
    add(`${fixed.includes(input) ? 'fixedInputs' : 'inputs'}.${input}`, value);
  for (const [field, values] of Object.entries({ labels, annotations: notes }))
    for (const [key, value] of Object.entries(values)) if (!isOurs(key)) add(`${field}.${key}`, value);
  addPods(objectIn(made, annotations.podOverride) ?? {}, add);
  add('job', objectIn(made, annotations.jobOverride));
  return settings;
}

/** What is changed of the pods: the settings that have names of their own, and the rest as it is. */
function addPods(override: JsonObject, add: (name: string, value: Json | undefined) => void): void {
  const { metadata: _, spec, ...rest } = override;
  const { serviceAccountName, containers, ...fields } = isJsonObject(spec) ? (spec as JsonObject) : {};
  add('serviceAccount', serviceAccountName);
  const others: Json[] = [];
  for (const container of Array.isArray(containers) ? (containers as JsonObject[]) : []) {
    const { env, ...kept } = container;
    for (const variable of container.name === 'main' && Array.isArray(env) ? (env as JsonObject[]) : [])
      add(`env.${String(variable.name)}`, variable.value ?? variable.valueFrom ?? null);
    if (container.name !== 'main') others.push(container);
    else if (Object.keys(kept).length > 1) others.push(kept);
  }
  const left = { ...fields, ...(others.length > 0 && { containers: others }) };
  const template = { ...rest, ...(Object.keys(left).length > 0 && { spec: left }) };
  if (Object.keys(template).length > 0) add('podTemplate', template);
}

/** Where the controller keeps to it, the CronJob says `Allow`. */
function concurrencyOf({ spec }: PlanCronJob): Json | undefined {
  const { policy, max } = objectIn(spec.jobTemplate.metadata, annotations.concurrency) ?? {};
  if (policy === 'Queue' && max !== undefined) return { queue: max };
  return policy ?? (spec.concurrencyPolicy as Json | undefined);
}

/** In the largest unit that leaves nothing over: `5m`, `36h`, `90s`. */
function seconds(value: unknown): string | undefined {
  if (typeof value !== 'number') return undefined;
  const unit = (
    [
      ['d', 86_400],
      ['h', 3600],
      ['m', 60],
    ] as const
  ).find(([, length]) => value > 0 && value % length === 0);
  return unit === undefined ? `${value}s` : `${value / unit[1]}${unit[0]}`;
}

const isOurs = (key: string) => key.startsWith(`${DOMAIN}/`) || key === MANAGED_BY_LABEL;
