import type { IncomingHttpHeaders } from 'node:http';
import type { KubeClient } from '../../kube/client.ts';
import { isInvalid, isRetryable, KubeError } from '../../kube/errors.ts';
import { WorkflowsError } from '../../runs/errors.ts';
import { launchRun } from '../../runs/launch-run.ts';
import type { Started } from '../../runs/start-run.ts';
import { InvalidError } from '../../values/problems.ts';
import type { Logger } from '../log.ts';
import { callerOf, mayLaunch, type Caller } from './access.ts';
import { launchOf, type PlanPath } from './launch-request.ts';
import { Refusal } from './problem-answer.ts';
import { RateLimit } from './rate-limit.ts';

/** What a trigger works with. */
export interface TriggerOptions {
  readonly client: KubeClient;
  /** Those whose plans it launches; null means all. */
  readonly namespaces: readonly string[] | null;
  /** What tokens must be meant for. */
  readonly audience: string;
  /** Of each caller, on this replica. */
  readonly requestsPerSecond: number;
  readonly log: Logger;
}

/** A request whose path was read. */
export interface TriggerRequest extends PlanPath {
  readonly headers: IncomingHttpHeaders;
  /** Reads the body; called for those who may launch the plan. */
  readonly body: () => Promise<Buffer>;
  readonly signal: AbortSignal;
}

/** What a caller is told to wait before another try, in seconds, when the cluster does not answer. */
const RETRY_AFTER = { 'retry-after': '5' };

/**
 * Launches plans for those who may: a token is reviewed, its owner asked about, and only then the body read. Every replica may do so, for a run has its name from
 * its key.
 */
export class Trigger {
  readonly #options: TriggerOptions;
  readonly #limit: RateLimit;

  constructor(options: TriggerOptions) {
    this.#options = options;
    this.#limit = new RateLimit(options.requestsPerSecond);
  }

  /** @throws Refusal */
  async launch(request: TriggerRequest): Promise<Started> {
    try {
      return await this.#launch(request);
    } catch (error) {
      throw refusalOf(error, request);
    }
  }

  async #launch({ namespace, plan, headers, body, signal }: TriggerRequest): Promise<Started> {
    const { client, log, namespaces } = this.#options;
    const caller = await this.#caller(headers, signal);
    const wait = this.#limit.take(caller.username, performance.now());
    if (wait !== undefined)
      throw new Refusal(429, 'this is more than a caller may ask for', { headers: { 'retry-after': String(wait) } });
    // Who may not launch a plan does not learn whether there is one.
    if (!(await mayLaunch(client, caller, { namespace, plan }, signal)))
      throw new Refusal(403, `${caller.username} may not launch cronjobs.batch/${plan} in namespace ${namespace}`);
    if (namespaces !== null && !namespaces.includes(namespace))
      throw new Refusal(404, `no plans of namespace ${namespace} are launched here`);
    const launch = launchOf(headers, await body());
    const started = await launchRun(client, { ...launch, namespace, plan, by: caller.username, signal });
    const { name } = started.job.metadata;
    if (started.created) log.info('A run was launched', { run: name, namespace, plan, by: caller.username });
    return started;
  }

  async #caller({ authorization }: IncomingHttpHeaders, signal: AbortSignal): Promise<Caller> {
    const { client, audience } = this.#options;
    const challenge = (error: string) => ({ headers: { 'www-authenticate': `Bearer${error}` } });
    const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw new Refusal(401, 'there must be a bearer token', challenge(''));
    const caller = await callerOf(client, token, audience, signal);
    if (caller !== undefined) return caller;
    throw new Refusal(
      401,
      `the token is not valid, or not for the audience ${audience}`,
      challenge(' error="invalid_token"'),
    );
  }
}

function refusalOf(error: unknown, { namespace, plan }: PlanPath): unknown {
  if (error instanceof Refusal) return error;
  if (error instanceof InvalidError)
    return new Refusal(422, 'the run cannot be launched so', { problems: error.problems, cause: error });
  if (error instanceof WorkflowsError) {
    if (error.reason === 'Conflict') return new Refusal(409, error.message, { cause: error });
    // The message may name plans that the caller must not know of.
    if (error.reason === 'NotFound')
      return new Refusal(404, `there is no launch plan ${plan} in namespace ${namespace}, or its workflow is gone`, {
        cause: error,
      });
  }
  if (isInvalid(error)) return new Refusal(422, 'the cluster does not take such a run', { cause: error });
  if (error instanceof KubeError || isRetryable(error) || isTimeout(error))
    return new Refusal(503, 'the cluster cannot start the run now', { headers: RETRY_AFTER, cause: error });
  return error;
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}
