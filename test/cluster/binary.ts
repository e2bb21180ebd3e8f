import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const moduleDir = join(import.meta.dirname, 'kubernetes');
const moduleFiles = ['go.mod', 'go.sum', 'main.go'];

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

/** Where this machine keeps what takes long to make: in `XDG_CACHE_HOME`, else in `~/.cache`. */
export function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'cdk8s-workflows');
}

async function build(): Promise<string> {
  const flags = ['-mod=readonly', '-trimpath', '-ldflags', await linkerFlags()];
  const hash = createHash('sha256').update(`${process.platform}/${process.arch}\n${flags.join('\n')}\n`);
  for (const file of moduleFiles) hash.update(await readFile(join(moduleDir, file)));
  const directory = join(cacheDirectory(), hash.digest('hex').slice(0, 16));
  const target = join(directory, 'kubernetes');
  if (await isExecutable(target)) return target;

  await mkdir(directory, { recursive: true });
  // The lock is the kernel's, so a killed builder frees it; whoever waited for it finds the binary and builds nothing.
  const script =
    'test -x "$0" && exit 0; t="$0.$$"; go build -o "$t" "$@" . && mv "$t" "$0" || { rm -f "$t"; exit 1; }';
  try {
    await run('flock', [`${target}.lock`, 'sh', '-c', script, target, ...flags], {
      cwd: moduleDir,
      env: { ...process.env, CGO_ENABLED: '0' },
      maxBuffer: 64 << 20,
    });
  } catch (cause) {
    building = undefined;
    const said = (cause as { stderr?: string }).stderr ?? '';
    throw new Error(`The cluster's programs were not built (Go 1.24 or later is needed): ${said.slice(-4000)}`, {
      cause,
    });
  }
  return target;
}

/** The version that the programs report. Read from go.mod, so that it is written down once. */
async function linkerFlags(): Promise<string> {
  const text = await readFile(join(moduleDir, 'go.mod'), 'utf8');
  const [, version, major, minor] = /^\tk8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)$/m.exec(text) ?? [];
  if (version === undefined) throw new Error('go.mod names no version of k8s.io/kubernetes');
  const pkg = 'k8s.io/component-base/version';
  return `-s -w -X ${pkg}.gitVersion=${version} -X ${pkg}.gitMajor=${major} -X ${pkg}.gitMinor=${minor}`;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
