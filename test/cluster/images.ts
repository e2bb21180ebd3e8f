import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheDirectory } from './go-program.ts';
import { run } from './run.ts';

const busybox = '/bin/busybox';
const nobody = 65532;

/** What runs when a pod says nothing else, and as whom. */
interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
}

/** How long an archive is kept when its image has changed. */
const unusedMs = 3_600_000;

/**
 * A docker-archive file of an image with busybox and links for all its applets, `/bin/sh` among them.
 *
 * @param name what pods call the image, e.g. `busybox:1.36`
 */
export async function busyboxImage(name: string): Promise<string> {
  return archive(name, { Cmd: ['sh'], Env: ['PATH=/bin'] }, addBusybox);
}

/** The image of the container that holds a pod's namespaces: it sleeps. */
export async function sandboxImage(name: string): Promise<string> {
  return archive(name, { Entrypoint: ['/bin/sleep', 'infinity'] }, addBusybox);
}

/**
 * An image with this process's own Node, the libraries it is linked with, certificate authorities, and `files`.
 * It runs `node` as user 65532.
 *
 * @param files paths in the image, with the file or directory of this machine that goes there
 * @param args arguments of node when the pod gives none
 * @param program arguments of node that come before those of the pod, such as the file to run
 */
export async function nodeImage(
  name: string,
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  program: readonly string[] = [],
): Promise<string> {
  const config: ImageConfig = {
    Entrypoint: ['node', ...program],
    Cmd: args,
    Env: ['PATH=/usr/local/bin:/bin', 'HOME=/tmp', 'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt'],
    User: `${nobody}:${nobody}`,
    WorkingDir: '/',
  };
  return archive(name, config, async (root) => {
    const stdout = await run('ldd', process.execPath);
    const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
    const certificates = '/etc/ssl/certs/ca-certificates.crt';
    const all = { ...Object.fromEntries([...libraries, certificates].map((path) => [path, path])), ...files };
    await put(root, '/usr/local/bin/node', process.execPath);
    for (const [inside, outside] of Object.entries(all)) await put(root, inside, outside);
  });
}

async function addBusybox(root: string): Promise<void> {
  await put(root, '/bin/busybox', busybox);
  const stdout = await run(busybox, '--list');
  const applets = stdout.split('\n').filter((applet) => applet !== '' && applet !== 'busybox');
  await Promise.all(applets.map((applet) => symlink('busybox', join(root, 'bin', applet))));
}

async function put(root: string, inside: string, outside: string): Promise<void> {
  const target = join(root, inside);
  await mkdir(dirname(target), { recursive: true });
  // Libraries are links to a versioned name; the image has the file itself.
  await cp(outside, target, { recursive: true, dereference: true, preserveTimestamps: true });
}

/** Writes a docker-archive with one layer (see the image specification of Docker, v1.2). */
async function archive(name: string, config: ImageConfig, fill: (root: string) => Promise<void>): Promise<string> {
  const kept = join(cacheDirectory(), 'images');
  await mkdir(kept, { recursive: true });
  // Beside its final place, so that the finished file only needs to be renamed.
  const directory = await mkdtemp(join(kept, '.unfinished-'));
  try {
    const root = join(directory, 'root');
    await mkdir(join(root, 'tmp'), { recursive: true });
    await mkdir(join(root, 'etc'));
    await chmod(join(root, 'tmp'), 0o1777);
    const users = `root:x:0:0:root:/:/bin/sh\nnonroot:x:${nobody}:${nobody}:nonroot:/tmp:/bin/sh\n`;
    await writeFile(join(root, 'etc/passwd'), users);
    await writeFile(join(root, 'etc/group'), `root:x:0:\nnonroot:x:${nobody}:\n`);
    await fill(root);

    const packed = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
    await run('tar', ...packed, '-C', root, '-cf', join(directory, 'layer.tar'), '.');
    const layer = await digest(join(directory, 'layer.tar'));
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    const rootfs = { type: 'layers', diff_ids: [`sha256:${layer}`] };
    const image = JSON.stringify({ architecture, os: 'linux', config, rootfs });
    await writeFile(join(directory, 'config.json'), image);
    const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
    await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest));
    const path = join(directory, 'image.tar');
    await run('tar', ...packed, '-C', directory, '-cf', path, 'manifest.json', 'config.json', 'layer.tar');
    return await keep(path, kept, name, createHash('sha256').update(image).digest('hex').slice(0, 16));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Puts a finished archive where it can be used again by others, and removes what the same image was before. */
async function keep(path: string, directory: string, name: string, content: string): Promise<string> {
  const prefix = `${name.replaceAll(/[^\w.-]/g, '_')}@`;
  const target = join(directory, `${prefix}${content}.tar`);
  await rename(path, target);
  for (const file of await readdir(directory)) {
    const old = join(directory, file);
    if (!file.startsWith(prefix) || old === target) continue;
    // Another process may be about to import it.
    const { mtimeMs } = await stat(old);
    if (mtimeMs < Date.now() - unusedMs) await rm(old, { force: true });
  }
  return target;
}
