import { annotations } from '../../graph/labels.ts';
import type { NotificationTo } from '../../graph/notifications.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { cronJobs } from '../../kube/resources.ts';
import { prepareRun } from '../../runs/prepare-run.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';
import { startRun } from '../../runs/start-run.ts';
import { canonicalJson, type JsonObject } from '../../values/json.ts';
import { formatProblem, InvalidError } from '../../values/problems.ts';
import { delivered, DeliveryError, type Outcome } from './delivery.ts';
import type { Notice } from './notice.ts';

type Launch = Extract<NotificationTo, { readonly kind: 'launch' }>;

/** Tells a workflow: starts a run of a launch plan, once for each event, however often it is tried. */
export class Launches {
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** @throws DeliveryError when there is no such plan */
  async launch(to: Launch, notice: Notice, namespace: string, signal: AbortSignal): Promise<Outcome> {
    const plan = await this.#plan(to.plan, namespace, signal);
    try {
      const prepared = await prepareRun(this.#client, plan, { inputs: inputsFor(to, notice) });
      const keyed = { key: `${notice.id}.${notice.notification}`, request: canonicalJson(to) };
      await startRun(this.#client, plan, (name) => withOrigin(prepared.job(name), notice), { keyed, signal });
      return delivered;
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      return { kind: 'refused', why: error.problems.map(formatProblem).join('; ') };
    }
  }

  async #plan(name: string, namespace: string, signal: AbortSignal): Promise<PlanCronJob> {
    try {
      return await this.#client.get<PlanCronJob>(cronJobs, name, { namespace, signal });
    } catch (error) {
      if (isNotFound(error)) throw new DeliveryError(`there is no launch plan ${name}`);
      throw error;
    }
  }
}

/** What a field says becomes what the schema of its input asks for. */
function inputsFor({ inputs }: Launch, { fields }: Notice) {
  const all = Object.entries(inputs);
  return {
    values: Object.fromEntries(
      all.flatMap(([name, input]) => ('value' in input ? [[name, input.value]] : [])),
    ) as JsonObject,
    texts: Object.fromEntries(
      all.flatMap(([name, input]) => ('field' in input ? [[name, fields[input.field] ?? '']] : [])),
    ),
    at: (input: string) => `inputs.${input}`,
  };
}

function withOrigin<J extends { readonly metadata: object }>(job: J, { fields, event }: Notice): J {
  const { annotations: given } = job.metadata as { readonly annotations?: object };
  const origin = { [annotations.launchedFor]: `${fields.run ?? fields.plan}.${event}` };
  return { ...job, metadata: { ...job.metadata, annotations: { ...given, ...origin } } };
}
