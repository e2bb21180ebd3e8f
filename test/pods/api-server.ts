import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Pool } from 'undici';
import type { PodTemplate, PodTemplateOverride } from '../../lib/pods/template.ts';
import { Api, ApiError } from '../cluster/api.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { freePort } from '../cluster/ports.ts';

const path = '/api/v1/namespaces/default/podtemplates';

interface PodTemplateObject {
  readonly metadata: { readonly name: string };
  readonly template: PodTemplate;
}

/** What the API server made of a template and a patch. */
export type Patched = { readonly merged: PodTemplate } | { readonly refused: string };

/**
 * The merge of a real API server, for templates that no cluster would take. It merges and defaults before it validates,
 * so templates are put into its store behind its back, and what a patch made of them is read by an admission
 * webhook, which then says no: nothing is left out because a random template makes no sense as a pod.
 */
export class ApiServer implements AsyncDisposable {
  readonly #cluster: ControlPlane;
  readonly #etcd: Pool;
  readonly #api: Api;
  readonly #webhook: Server;
  readonly #seen: Map<string, PodTemplate>;
  #made = 0;

  static async start(): Promise<ApiServer> {
    const etcd = await freePort();
    const cluster = await startControlPlane({
      name: 'merge',
      controllerManager: false,
      scheduler: false,
      ports: { etcd },
    });
    try {
      const seen = new Map<string, PodTemplate>();
      const webhook = await startWebhook(cluster, seen);
      const api = await Api.connect(cluster.kubeconfigPath);
      const server = new ApiServer(
        cluster,
        new Pool(`http://127.0.0.1:${etcd}`, { connections: 8 }),
        api,
        webhook,
        seen,
      );
      await server.#register();
      return server;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  private constructor(cluster: ControlPlane, etcd: Pool, api: Api, webhook: Server, seen: Map<string, PodTemplate>) {
    this.#cluster = cluster;
    this.#etcd = etcd;
    this.#api = api;
    this.#webhook = webhook;
    this.#seen = seen;
  }

  /** A template as the API server has it: with its defaults, without what it does not know. */
  async normalize(template: PodTemplate): Promise<PodTemplate> {
    return (await this.#api.get<PodTemplateObject>(`${path}/${await this.#put(template)}`)).template;
  }

  /** What a strategic merge patch makes of a template. */
  async patch(template: PodTemplate, patch: PodTemplateOverride): Promise<Patched> {
    const name = await this.#put(template);
    try {
      await this.#api.patch(`${path}/${name}`, { template: patch });
      throw new Error('the patch was not stopped by the webhook');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const merged = this.#seen.get(name);
      this.#seen.delete(name);
      return merged === undefined ? { refused: error.message } : { merged };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#webhook.closeAllConnections();
    this.#webhook.close();
    await Promise.all([this.#etcd.destroy(), this.#api.close()]);
    await this.#cluster.stop();
  }

  async #put(template: PodTemplate): Promise<string> {
    const name = `t${(this.#made += 1)}`;
    // Without a uid the API server takes an object for one that is still to be made.
    const uid = `00000000-0000-4000-8000-${String(this.#made).padStart(12, '0')}`;
    const metadata = { name, namespace: 'default', uid, creationTimestamp: '2024-01-01T00:00:00Z' };
    const object = { apiVersion: 'v1', kind: 'PodTemplate', metadata, template };
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const { statusCode, body } = await this.#etcd.request({
      method: 'POST',
      path: '/v3/kv/put',
      body: JSON.stringify({
        key: base64(`/registry/podtemplates/default/${name}`),
        value: base64(JSON.stringify(object)),
      }),
    });
    if (statusCode !== 200) throw new Error(`etcd: ${statusCode} ${await body.text()}`);
    await body.dump();
    return name;
  }

  async #register(): Promise<void> {
    const { port } = this.#webhook.address() as AddressInfo;
    await this.#api.create('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', {
      metadata: { name: 'merge' },
      webhooks: [
        {
          name: 'merge.cdk8s-workflows.dev',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: {
            url: `https://127.0.0.1:${port}/`,
            caBundle: (await readFile(this.#cluster.caFile)).toString('base64'),
          },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['podtemplates'], operations: ['UPDATE'] }],
        },
      ],
    });
    const template = { spec: { containers: [{ name: 'main', image: 'a' }] } };
    await eventually(() => this.patch(template, { metadata: { labels: { ready: 'yes' } } }));
  }
}

/** Remembers every template that it is asked about, and refuses it. */
async function startWebhook(cluster: ControlPlane, seen: Map<string, PodTemplate>): Promise<Server> {
  const file = (name: string) => readFile(join(cluster.directory, name));
  const server = createServer(
    { cert: await file('apiserver.crt'), key: await file('apiserver.key') },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { request: asked } = JSON.parse(Buffer.concat(chunks).toString()) as {
          request: { uid: string; object: PodTemplateObject };
        };
        seen.set(asked.object.metadata.name, asked.object.template);
        const answer = { uid: asked.uid, allowed: false };
        response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
