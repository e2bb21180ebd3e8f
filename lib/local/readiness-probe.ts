import { spawn } from 'node:child_process';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { V1Container } from '@kubernetes/client-node/dist/gen/models/V1Container.js';
import type { V1Probe } from '@kubernetes/client-node/dist/gen/models/V1Probe.js';
import type { AttemptState } from '../engine/advance.ts';
import { show } from '../values/problems.ts';
import type { AttemptPlan } from './attempt-plan.ts';
import { signalGroup } from './process-group.ts';

/** Where the steps that depend on a service reach it on this machine. */
const LOCAL_HOST = '127.0.0.1';

/** How it is found out that the main container of a service is ready. */
export interface ProbePlan {
  /** Milliseconds after its start. */
  readonly delayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  /** How often in a row it must succeed. */
  readonly successes: number;
  readonly check: ProbeCheck;
}

/** Exactly one of the members. */
export type ProbeCheck =
  | { readonly command: readonly string[] }
  | { readonly host: string; readonly port: number }
  | { readonly url: URL; readonly headers: Readonly<Record<string, string>> };

/** Without a probe a container is ready as soon as it runs, as on a cluster. Defaults are those of Kubernetes. (pkg/apis/core/v1/defaults.go: SetDefaults_Probe) */
export function planProbe({
  readinessProbe: probe,
  ports,
}: V1Container): ProbePlan | undefined | { readonly problem: string } {
  if (probe === undefined) return undefined;
  const check = checkOf(probe, ports ?? []);
  if ('problem' in check) return check;
  const { initialDelaySeconds, periodSeconds, timeoutSeconds, successThreshold } = probe;
  return {
    delayMs: (initialDelaySeconds ?? 0) * 1000,
    periodMs: (periodSeconds ?? 10) * 1000,
    timeoutMs: (timeoutSeconds ?? 1) * 1000,
    successes: successThreshold ?? 1,
    check,
  };
}

function checkOf(
  { exec, httpGet, tcpSocket }: V1Probe,
  ports: NonNullable<V1Container['ports']>,
): ProbeCheck | { readonly problem: string } {
  if (exec !== undefined) return { command: exec.command ?? [] };
  const target = httpGet ?? tcpSocket;
  if (target === undefined)
    return { problem: 'its readinessProbe is none that this machine can do; use exec, httpGet or tcpSocket' };
  const { port: given, host = LOCAL_HOST } = target;
  const port = /^\d+$/.test(String(given)) ? Number(given) : ports.find(({ name }) => name === given)?.containerPort;
  if (port === undefined)
    return { problem: `its readinessProbe asks at port ${show(given)}, and no port of the container has that name` };
  if (httpGet === undefined) return { host, port };
  const { scheme = 'HTTP', path = '/', httpHeaders = [] } = httpGet;
  const url = new URL(`${scheme.toLowerCase()}://${host.includes(':') ? `[${host}]` : host}:${port}`);
  const [pathname = '/', search] = path.split('?', 2);
  url.pathname = pathname;
  url.search = search ?? '';
  return { url, headers: Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value])) };
}

/** What a probe of a command is run with. */
export interface ProbeSetting {
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly onReady: () => void;
}

/** Asks until a service is ready, and then no more: what depends on it has begun. */
export class ReadinessProbe {
  readonly #plan: ProbePlan;
  readonly #setting: ProbeSetting;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #successes = 0;

  constructor(plan: ProbePlan, setting: ProbeSetting) {
    this.#plan = plan;
    this.#setting = setting;
  }

  start(): void {
    this.#after(this.#plan.delayMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  #after(ms: number): void {
    this.#timer = setTimeout(() => void this.#ask(), ms);
  }

  async #ask(): Promise<void> {
    const { check, timeoutMs, successes, periodMs } = this.#plan;
    const begun = performance.now();
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]);
    const passed = await passes(check, this.#setting, signal);
    if (this.#stop.signal.aborted) return;
    this.#successes = passed ? this.#successes + 1 : 0;
    if (this.#successes >= successes) return this.#setting.onReady();
    this.#after(Math.max(0, periodMs - (performance.now() - begun)));
  }
}

function passes(check: ProbeCheck, setting: ProbeSetting, signal: AbortSignal): Promise<boolean> {
  if ('command' in check) return runs(check.command, setting, signal);
  return 'url' in check ? answers(check, signal) : listens(check, signal);
}

/** Whether a command ends with 0. What it has started goes with it. */
function runs(
  [command = '', ...args]: readonly string[],
  { env, workingDirectory }: ProbeSetting,
  signal: AbortSignal,
) {
  return new Promise<boolean>((resolve) => {
    const child = spawn(command, args, { cwd: workingDirectory, env, detached: true, stdio: 'ignore' });
    const kill = () => child.pid !== undefined && signalGroup(child.pid, 'SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    const end = (passed: boolean) => {
      signal.removeEventListener('abort', kill);
      resolve(passed);
    };
    child.once('error', () => end(false));
    child.once('exit', (code) => {
      kill();
      end(code === 0 && !signal.aborted);
    });
  });
}

function listens({ host, port }: { readonly host: string; readonly port: number }, signal: AbortSignal) {
  return new Promise<boolean>((resolve) => {
    const socket = connect({ host, port, signal });
    const end = (passed: boolean) => {
      resolve(passed);
      socket.destroy();
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Whether a server answers with a status from 200 to 399. Certificates are not looked at, as the kubelet does not. */
function answers({ url, headers }: Extract<ProbeCheck, { readonly url: URL }>, signal: AbortSignal) {
  return new Promise<boolean>((resolve) => {
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const sent = request(url, { headers, signal, rejectUnauthorized: false, agent: false }, (response) => {
      const { statusCode = 0 } = response;
      response.destroy();
      resolve(statusCode >= 200 && statusCode < 400);
    });
    sent.once('error', () => resolve(false));
    sent.end();
  });
}

type Tell = (state: AttemptState) => void;

/** Tells what becomes of the process of a service, and once that it is ready. */
export function tellingWhenReady(
  { probe: plan, env }: Pick<AttemptPlan, 'probe' | 'env'>,
  workingDirectory: string,
  tell: Tell,
): Tell {
  let probe: ReadinessProbe | undefined;
  return (state) => {
    if (state.kind !== 'running') probe?.stop();
    else if (plan === undefined) return tell({ ...state, host: LOCAL_HOST });
    else {
      const onReady = () => tell({ ...state, host: LOCAL_HOST });
      probe = new ReadinessProbe(plan, { env, workingDirectory, onReady });
      probe.start();
    }
    tell(state);
  };
}
