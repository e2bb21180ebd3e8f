import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ApplyTarget } from '../../../fleet/apply/apply-target.ts';
import { isJsonObject } from '../../../values/json.ts';

/** Where it is remembered which clusters were applied to. Beside the app and not in the output, which is often made anew. */
export const KNOWN_CLUSTERS = join('.workflows', 'clusters.json');

/** The clusters that were applied to from a directory, by the UIDs of their namespaces `kube-system`; as ssh knows its hosts. */
export class KnownClusters {
  readonly #file: string;
  #uids: Promise<Record<string, string>> | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(cwd: string) {
    this.#file = join(cwd, KNOWN_CLUSTERS);
  }

  /** The UID of a target's cluster; nothing when it was never applied to. */
  async uidOf(target: ApplyTarget): Promise<string | undefined> {
    return (await this.#read())[keyOf(target)];
  }

  /** Remembers a cluster that was applied to. */
  async remember(target: ApplyTarget, uid: string): Promise<void> {
    const uids = await this.#read();
    if (uids[keyOf(target)] === uid) return;
    uids[keyOf(target)] = uid;
    // Clusters are applied to at the same time, and the file is one.
    this.#written = this.#written.then(() => this.#write(uids));
    await this.#written;
  }

  async #write(uids: object): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true });
    const draft = `${this.#file}.${process.pid}`;
    await writeFile(draft, `${JSON.stringify(uids, undefined, 2)}\n`);
    await rename(draft, this.#file);
  }

  #read(): Promise<Record<string, string>> {
    this.#uids ??= readFile(this.#file, 'utf8').then(
      (text) => parse(text),
      () => ({}),
    );
    return this.#uids;
  }
}

function keyOf({ inventory, cluster = '' }: ApplyTarget): string {
  return inventory === undefined ? cluster : `${inventory}/${cluster}`;
}

/** A file that cannot be read knows nothing. */
function parse(text: string): Record<string, string> {
  try {
    const value = JSON.parse(text) as unknown;
    return isJsonObject(value) ? (value as Record<string, string>) : {};
  } catch {
    return {};
  }
}
