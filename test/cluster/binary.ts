import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildProgram, isExecutable } from './go-program.ts';

const moduleDir = join(import.meta.dirname, 'kubernetes');

/** The programs that the binary of {@link clusterBinary} can be. */
export type Program =
  'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl' | 'kubelet' | 'kube-proxy';

/** A program and the arguments that come before its own. */
export type Invocation = readonly [command: string, ...leading: string[]];

let building: Promise<string> | undefined;

/**
 * The path of the binary that holds all Kubernetes programs, built first if this version of the module was never
 * built on this machine. A build takes some minutes; it is done once, also when several processes ask for it.
 *
 * @throws Error when Go is missing or the build fails, with what the compiler said.
 */
export function clusterBinary(): Promise<string> {
  building ??= build();
  return building;
}

/**
 * How to start one of the programs: from `KUBEBUILDER_ASSETS` if that directory has it (envtest's archives hold
 * etcd, kube-apiserver and kubectl only), else from {@link clusterBinary}.
 */
export async function clusterProgram(program: Program): Promise<Invocation> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  if (assets) {
    const path = join(assets, program);
    if (await isExecutable(path)) return [path];
  }
  return [await clusterBinary(), program];
}

async function build(): Promise<string> {
  try {
    return await buildProgram({ name: 'kubernetes', directory: moduleDir, linkerFlags: await linkerFlags() });
  } catch (error) {
    building = undefined;
    throw error;
  }
}

/** The version that the programs report. Read from go.mod, so that it is written down once. */
async function linkerFlags(): Promise<string> {
  const text = await readFile(join(moduleDir, 'go.mod'), 'utf8');
  const [, version, major, minor] = /^\tk8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)$/m.exec(text) ?? [];
  if (version === undefined) throw new Error('go.mod names no version of k8s.io/kubernetes');
  const pkg = 'k8s.io/component-base/version';
  return `-s -w -X ${pkg}.gitVersion=${version} -X ${pkg}.gitMajor=${major} -X ${pkg}.gitMinor=${minor}`;
}
