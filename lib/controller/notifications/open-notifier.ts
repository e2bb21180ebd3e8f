import type { KubeClient } from '../../kube/client.ts';
import type { WorkerContext } from '../worker-context.ts';
import { Deliverer } from './deliverer.ts';
import { Launches } from './launches.ts';
import { Notifier } from './notifier.ts';
import { Secrets } from './secrets.ts';
import { Webhooks } from './webhook.ts';

/** A notifier with all that it delivers through, until the signal is aborted. */
export function openNotifier(context: WorkerContext, client: KubeClient, signal: AbortSignal): Notifier {
  const { clock, log, metrics, tell, timing } = context;
  const webhooks = new Webhooks({ env: process.env });
  signal.addEventListener('abort', () => void webhooks.close(), { once: true });
  const deliverer = new Deliverer(new Secrets(client, clock), webhooks, new Launches(client));
  const backoff = { baseDelayMs: timing.notifyMs, maxDelayMs: 5 * 60_000 };
  return new Notifier({ client, clock, log, metrics, tell, deliverer, random: Math.random, backoff }, signal);
}
