import { spawn } from 'node:child_process';
import { KubeconfigError } from './errors.ts';
import type { KubeconfigCluster, KubeconfigExec } from './kubeconfig.ts';

/** `status` of a client.authentication.k8s.io `ExecCredential`. Certificate and key are PEM text. */
export interface ExecCredentialStatus {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  /** RFC 3339; without it the credential holds until the server refuses it. */
  readonly expirationTimestamp?: string;
}

/** How the program runs. */
export interface ExecEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person can be asked something. */
  readonly interactive: boolean;
}

/** How long the program may think when nobody can be asked, in milliseconds. */
const patienceMs = 60_000;

/**
 * Runs the credential program of a kubeconfig user.
 *
 * @throws KubeconfigError with what the program wrote to standard error, and the install hint if it is missing
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export async function runExecPlugin(
  exec: KubeconfigExec,
  cluster: KubeconfigCluster,
  { env, interactive }: ExecEnvironment,
): Promise<ExecCredentialStatus> {
  const mode = exec.interactiveMode ?? 'IfAvailable';
  if (mode === 'Always' && !interactive) {
    throw new KubeconfigError(`The credential program ${exec.command} must ask somebody, but there is no terminal`);
  }
  const asks = interactive && mode !== 'Never';
  const request = {
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: asks, ...(exec.provideClusterInfo && { cluster: clusterInfo(cluster) }) },
  };
  const output = await run(exec, asks, {
    ...env,
    ...Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
    KUBERNETES_EXEC_INFO: JSON.stringify(request),
  });
  return checked(exec, output);
}

function clusterInfo(cluster: KubeconfigCluster): object {
  const { extensions, 'certificate-authority': _file, ...rest } = cluster;
  const config = extensions?.find(({ name }) => name === 'client.authentication.k8s.io/exec')?.extension;
  return { ...rest, ...(config !== undefined && { config }) };
}

function run(exec: KubeconfigExec, asks: boolean, env: Record<string, string | undefined>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(exec.command, exec.args ?? [], {
      env,
      stdio: [asks ? 'inherit' : 'ignore', 'pipe', asks ? 'inherit' : 'pipe'],
      ...(!asks && { timeout: patienceMs }),
    });
    const out: Buffer[] = [];
    const complaints: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => complaints.push(chunk));
    child.on('error', (cause) => {
      const hint = exec.installHint ? ` ${exec.installHint.trim()}` : '';
      reject(new KubeconfigError(`Cannot run the credential program ${exec.command}.${hint}`, { cause }));
    });
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out).toString());
      const said = Buffer.concat(complaints).toString().trim().slice(-2000);
      const end = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
      reject(new KubeconfigError(`The credential program ${exec.command} ${end}${said ? `: ${said}` : ''}`));
    });
  });
}

function checked(exec: KubeconfigExec, output: string): ExecCredentialStatus {
  const wrong = (what: string, cause?: unknown): KubeconfigError =>
    new KubeconfigError(`The credential program ${exec.command} printed ${what}`, { cause });
  let credential: { apiVersion?: string; kind?: string; status?: ExecCredentialStatus };
  try {
    credential = JSON.parse(output);
  } catch (error) {
    throw wrong('no JSON', error);
  }
  if (credential?.kind !== 'ExecCredential' || credential.apiVersion !== exec.apiVersion) {
    throw wrong(`${credential?.apiVersion} ${credential?.kind} instead of ${exec.apiVersion} ExecCredential`);
  }
  const status = credential.status ?? {};
  if (!status.token && !(status.clientCertificateData && status.clientKeyData)) {
    throw wrong('neither a token nor a certificate with its key');
  }
  return status;
}
