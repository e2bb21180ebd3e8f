import type { SecretRef, TextOrSecret } from '../../graph/notifications.ts';
import { isForbidden, isNotFound } from '../../kube/errors.ts';
import type { Clock } from '../../kube/clock.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { secrets } from '../../kube/resources.ts';
import type { RunClient } from '../worker-context.ts';
import { DeliveryError } from './delivery.ts';

/** How long a Secret is taken as it was read, in milliseconds: many runs that fail together ask once. */
const FRESH_MS = 10_000;

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> };

interface Read {
  readonly secret: Promise<Secret>;
  readonly at: number;
}

/** Values of Secrets, in the namespace of the run that names them. */
export class Secrets {
  readonly #client: RunClient;
  readonly #clock: Clock;
  readonly #read = new Map<string, Read>();

  constructor(client: RunClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** @throws DeliveryError when it cannot be read */
  async valueOf(text: TextOrSecret, namespace: string): Promise<string> {
    if (typeof text === 'string') return text;
    const value = (await this.#secret(text, namespace)).data?.[text.key];
    if (value === undefined) throw new DeliveryError(`the Secret ${text.secret} has no key ${text.key}`);
    return Buffer.from(value, 'base64').toString().trim();
  }

  async #secret({ secret: name }: SecretRef, namespace: string): Promise<Secret> {
    const key = `${namespace}/${name}`;
    const now = this.#clock.monotonic();
    for (const [old, { at }] of this.#read) if (now - at >= FRESH_MS) this.#read.delete(old);
    const read = this.#read.get(key) ?? { secret: this.#client.get<Secret>(secrets, name, { namespace }), at: now };
    this.#read.set(key, read);
    try {
      return await read.secret;
    } catch (error) {
      this.#read.delete(key);
      if (isNotFound(error)) throw new DeliveryError(`there is no Secret ${name}`);
      if (isForbidden(error))
        throw new DeliveryError(`the controller may not read the Secret ${name}: see notificationSecrets`);
      throw error;
    }
  }
}
