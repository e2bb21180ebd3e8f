import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A program of ours in Go: a directory with go.mod, go.sum and main.go. */
export interface GoProgram {
  readonly name: string;
  readonly directory: string;
  /** For the linker. @default none */
  readonly linkerFlags?: string;
}

/** Where this machine keeps what takes long to make: in `XDG_CACHE_HOME`, else in `~/.cache`. */
export function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'cdk8s-workflows');
}

/**
 * The path of a program, built first if this version of it was never built on this machine. It is done once, also
 * when several processes ask for it.
 *
 * @throws Error when Go is missing or the build fails, with what the compiler said.
 */
export async function buildProgram({ name, directory: source, linkerFlags = '-s -w' }: GoProgram): Promise<string> {
  const flags = ['-mod=readonly', '-trimpath', '-ldflags', linkerFlags];
  const hash = createHash('sha256').update(`${process.platform}/${process.arch}\n${flags.join('\n')}\n`);
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(await readFile(join(source, file)));
  const directory = join(cacheDirectory(), hash.digest('hex').slice(0, 16));
  const target = join(directory, name);
  if (await isExecutable(target)) return target;

  await mkdir(directory, { recursive: true });
  // The lock is the kernel's, so a killed builder frees it; whoever waited for it finds the binary and builds nothing.
  const script =
    'test -x "$0" && exit 0; t="$0.$$"; go build -o "$t" "$@" . && mv "$t" "$0" || { rm -f "$t"; exit 1; }';
  try {
    await run('flock', [`${target}.lock`, 'sh', '-c', script, target, ...flags], {
      cwd: source,
      env: { ...process.env, CGO_ENABLED: '0' },
      maxBuffer: 64 << 20,
    });
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr ?? '';
    throw new Error(`The program ${name} was not built (Go 1.24 or later is needed): ${said.slice(-4000)}`, { cause });
  }
  return target;
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
