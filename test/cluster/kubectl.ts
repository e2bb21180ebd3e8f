import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { clusterProgram } from './binary.ts';

/** What kubectl printed, and its exit code. */
export interface KubectlResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Runs kubectl with arguments, and with `input` as its standard input. */
export type Kubectl = (args: readonly string[], options?: { readonly input?: string }) => Promise<KubectlResult>;

/** A kubectl of the cluster's own version that always uses this kubeconfig file. */
export function kubectlFor(kubeconfigPath: string, cacheDir: string): Kubectl {
  return async (args, { input = '' } = {}) => {
    const [command, ...leading] = await clusterProgram('kubectl');
    const env = { ...process.env, KUBECONFIG: kubeconfigPath, KUBECACHEDIR: cacheDir };
    const child = spawn(command, [...leading, ...args], { env, stdio: 'pipe' });
    const code = new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve(status ?? 1));
    });
    // kubectl may end without reading its input, which closes the pipe.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { stdout, stderr, code: await code };
  };
}
