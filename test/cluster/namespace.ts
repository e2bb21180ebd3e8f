import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Component, waitUntil } from './component.ts';
import { run } from './run.ts';

// Everything takes its addresses from the range that is set aside for benchmarks (RFC 2544), which no network uses.
const networks = Array.from({ length: 250 }, (_, index) => index + 1);

/**
 * A network, mount and process namespace with its own /run, /var/lib and /var/log, joined to this machine by one
 * link. What runs in it ends when its first process ends, and takes mounts, links and routes with it.
 */
export class Namespace {
  /** The address inside, which this machine reaches. */
  readonly address: string;
  /** The address of this machine, which the inside reaches. */
  readonly hostAddress: string;
  readonly podRange: string;
  readonly serviceRange: string;
  readonly #first: Component;
  readonly #pid: number;

  /** @param directory where its files lie on this machine */
  static async create(directory: string): Promise<Namespace> {
    const logFile = join(directory, 'namespace.log');
    const [run, lib, log] = ['run', 'var-lib', 'var-log'].map((name) => join(directory, name));
    for (const path of [run!, lib!, log!]) await mkdir(path);
    // The first process waits for all others, so that none is left as a zombie.
    const script = [
      'set -e',
      `mount --bind ${lib} /var/lib`,
      `mount --bind ${log} /var/log`,
      'mount -t tmpfs tmpfs /run',
      'echo 1 > /proc/sys/net/ipv4/ip_forward',
      'ip link set lo up',
      'echo ready',
      'while :; do sleep 86400 & wait; done',
    ].join('\n');
    const unshare = ['--net', '--mount', '--propagation=private', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const args = [...unshare, 'sh', '-c', script];
    const first = new Component({ name: 'namespace', command: 'unshare', args, logFile });
    first.start();
    try {
      const isReady = async (): Promise<boolean> => (await readFile(logFile, 'utf8')).includes('ready\n');
      await waitUntil('The namespace', isReady, [first]);
      const children = await readFile(`/proc/${first.pid}/task/${first.pid}/children`, 'utf8');
      const pid = Number(children.trim());
      const network = await link(pid);
      return new Namespace(first, pid, network);
    } catch (error) {
      await first.stop('SIGKILL');
      throw error;
    }
  }

  private constructor(first: Component, pid: number, network: number) {
    this.#first = first;
    this.#pid = pid;
    this.hostAddress = `198.18.${network}.1`;
    this.address = `198.18.${network}.2`;
    this.serviceRange = `198.18.${network}.128/25`;
    this.podRange = `198.19.${network}.0/24`;
  }

  /** What precedes a command to give it this network, and nothing else of the namespace. */
  get network(): readonly string[] {
    return ['nsenter', `--target=${this.#pid}`, '--net', '--'];
  }

  /** What precedes a command to run it wholly inside; it ends with the process that started it. */
  get inside(): readonly string[] {
    return [
      ...['nsenter', `--target=${this.#pid}`, '--net', '--mount', '--pid', '--'],
      ...['setpriv', '--pdeathsig', 'KILL', '--'],
    ];
  }

  /** Ends all that runs inside. */
  async stop(): Promise<void> {
    try {
      // The kernel ends all others of a process namespace with its first process.
      process.kill(this.#pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await this.#first.ended;
    await this.#first.stop();
  }
}

/** Links the namespace to this machine; the name of the link makes the choice of a network exclusive. */
async function link(pid: number): Promise<number> {
  for (const network of networks) {
    const outer = `cdk8s-w${network}`;
    try {
      await run('ip', 'link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid));
    } catch (error) {
      if (error instanceof Error && error.message.includes('File exists')) continue;
      throw error;
    }
    const address = `198.18.${network}.2`;
    const within = ['nsenter', `--target=${pid}`, '--net', '--', 'ip'] as const;
    await run('ip', 'address', 'add', `198.18.${network}.1/30`, 'dev', outer);
    await run('ip', 'link', 'set', outer, 'up');
    await run(...within, 'address', 'add', `${address}/30`, 'dev', 'eth0');
    await run(...within, 'link', 'set', 'eth0', 'up');
    // Packets to a Service are redirected on their way out, so they need one.
    await run(...within, 'route', 'add', `198.18.${network}.128/25`, 'via', `198.18.${network}.1`);
    await run('ip', 'route', 'add', `198.19.${network}.0/24`, 'via', address);
    await run('ip', 'route', 'add', `198.18.${network}.128/25`, 'via', address);
    return network;
  }
  throw new Error('All 250 networks for test nodes are in use');
}
