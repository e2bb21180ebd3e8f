/**
 * Makes the controller's image as a docker-archive file, where there is no Docker:
 *
 *     npm run image -- controller.tar
 *     npm run image -- controller.tar --name registry.example/controller:1
 */
import { copyFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { controllerImage } from '../test/controller/controller-image.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { name: { type: 'string', default: 'cdk8s-workflows/controller:0.1.0' } },
});
const [tar] = positionals;
if (tar === undefined) {
  console.error('usage: npm run image -- <file.tar> [--name <image>]');
  process.exit(2);
}

await copyFile(await controllerImage(values.name), tar);
console.log(`${resolve(tar)}: ${values.name}`);
