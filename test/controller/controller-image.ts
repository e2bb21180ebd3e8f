import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleController } from '../../scripts/controller-bundle.ts';
import { nodeImage } from '../cluster/images.ts';

/**
 * A docker-archive file of the controller's image, made without Docker: this process's own Node and the bundle.
 * As the image of the Dockerfile, it runs the command line with the commands `controller` and `driver`.
 */
export async function controllerImage(name: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-bundle-'));
  try {
    await bundleController(directory);
    // File by file: a temporary directory is closed to the image's user.
    const files = ['controller.mjs', 'package.json'].map((file) => [`/app/${file}`, join(directory, file)]);
    return await nodeImage(name, Object.fromEntries(files) as Record<string, string>, [], ['/app/controller.mjs']);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
