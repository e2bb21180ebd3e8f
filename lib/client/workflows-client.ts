import { KubeClient } from '../kube/client.ts';
import { dnsLabelProblem } from '../values/names.ts';
import { InvalidError, show } from '../values/problems.ts';
import { Plan } from './plan.ts';
import { Plans } from './plans.ts';
import { Run } from './run.ts';
import { Runs } from './runs.ts';
import { translated } from './translate.ts';
import type { AnyWorkflowType, OutputsOf, WorkflowType } from './types.ts';

/** Which cluster and namespace a client works with. */
export interface WorkflowsClientOptions {
  /** Path of a kubeconfig. @default the files of `$KUBECONFIG`, else `~/.kube/config`, else the pod's service account */
  readonly kubeconfig?: string;
  /** @default the current context */
  readonly context?: string;
  /** @default the context's, in a pod the pod's own */
  readonly namespace?: string;
  /**
   * What this program is called, a DNS label: the plans that it registers are its own, and carry the name as the label
   * `cdk8s-workflows.dev/registered-by`.
   * @default 'client'
   */
  readonly name?: string;
  /** Limit of each request, in milliseconds. One that fails for a moment is tried again, for up to 30 seconds. @default 30000 */
  readonly timeoutMs?: number;
}

/**
 * Launch plans and runs of a namespace, for programs. It talks to the API server alone: what it may do, the RBAC of its credentials says.
 * Every method throws a {@link WorkflowsError}, or the reason of the signal that it was aborted by.
 *
 * @example
 * import { WorkflowsClient } from 'cdk8s-workflows/client';
 * import type { etl } from './workflows.ts';
 *
 * const client = await WorkflowsClient.connect({ namespace: 'data' });
 * const run = await client.plan<typeof etl>('site-etl-paris').launch({ day: '2026-03-01' }, { idempotencyKey: 'paris-2026-03-01' });
 * const { rows } = await run.wait({ timeoutMs: 3_600_000 });
 * await client.close();
 */
export class WorkflowsClient implements AsyncDisposable {
  readonly plans: Plans;
  readonly runs: Runs;
  readonly namespace: string;
  readonly #client: KubeClient;

  private constructor(client: KubeClient, name: string) {
    this.#client = client;
    this.namespace = client.namespace;
    this.plans = new Plans(client, name);
    this.runs = new Runs(client);
  }

  /**
   * Reads the credentials; the first request is made by the first method.
   *
   * @throws WorkflowsError when there is no such context, or it lacks something
   */
  static connect(options: WorkflowsClientOptions = {}): Promise<WorkflowsClient> {
    const { name = 'client', kubeconfig, context, namespace, timeoutMs } = options;
    return translated(async () => {
      const wrong = dnsLabelProblem(name);
      if (wrong !== undefined)
        throw new InvalidError('WorkflowsClient', [{ path: 'name', message: `${show(name)} ${wrong}` }]);
      const userAgent = `cdk8s-workflows-client/${name}`;
      const client = await KubeClient.fromKubeconfig({ kubeconfig, context, namespace, timeoutMs, userAgent });
      return new WorkflowsClient(client, name);
    });
  }

  /** The launch plan of a name. With a workflow's type, its inputs and outputs have the types of the workflow. */
  plan<W extends WorkflowType = AnyWorkflowType>(name: string): Plan<W> {
    return new Plan<W>(this.#client, name);
  }

  /** The run of a name, such as one that was launched before. */
  run<W extends WorkflowType = AnyWorkflowType>(name: string): Run<OutputsOf<W>> {
    return new Run<OutputsOf<W>>(this.#client, name, this.namespace);
  }

  /** Ends its connections, and waits for the requests under way. */
  async close(): Promise<void> {
    await this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
