/**
 * Bundles the controller, and makes its image as a docker-archive file where there is no Docker:
 *
 *     node scripts/build-controller.ts                     # dist/image/controller.mjs, which the Dockerfile copies
 *     node scripts/build-controller.ts --tar controller.tar --name cdk8s-workflows/controller:0.1.0
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { controllerImage } from '../test/controller/controller-image.ts';
import { bundleController } from './controller-bundle.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(dirname(import.meta.dirname), 'dist/image') },
    tar: { type: 'string' },
    name: { type: 'string', default: 'cdk8s-workflows/controller:0.1.0' },
  },
});

await mkdir(values.out, { recursive: true });
await bundleController(values.out);
console.log(join(resolve(values.out), 'controller.mjs'));
if (values.tar !== undefined) {
  await copyFile(await controllerImage(values.name), values.tar);
  console.log(resolve(values.tar));
}
