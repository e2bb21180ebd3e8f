/** The controller and the driver as one file that needs nothing but Node: what goes into their image. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = dirname(import.meta.dirname);

/** What the image's command line has: the two commands that run on a cluster, none that read an author's files. */
const imageCommands = `
  export { controllerCommand } from './controller.ts';
  export { driverCommand } from './driver.ts';
`;

const LATE_REQUIRE = 'createRequire(import.meta.url)(';

const plugin: Plugin = {
  name: 'controller-image',
  setup({ onLoad }) {
    onLoad({ filter: /lib\/cli\/commands\/index\.ts$/ }, ({ path }) => ({
      contents: imageCommands,
      loader: 'ts',
      resolveDir: dirname(path),
    }));
    // A `require` that was made at run time says nothing to a bundler; a plain one it takes in, and still runs late.
    onLoad({ filter: /\/lib\/.*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (!source.includes(LATE_REQUIRE)) return undefined;
      return { contents: source.replaceAll(LATE_REQUIRE, 'require('), loader: 'ts', resolveDir: dirname(path) };
    });
  },
};

/** Writes `controller.mjs` and its `package.json` into a directory. */
export async function bundleController(directory: string): Promise<void> {
  await build({
    entryPoints: [join(root, 'lib/cli/bin.ts')],
    outfile: join(directory, 'controller.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22.19',
    conditions: ['source'],
    minifySyntax: true,
    legalComments: 'none',
    // Only a kubeconfig with an auth-provider loads it, and a pod has none.
    external: ['@kubernetes/client-node'],
    banner: {
      js: "import { createRequire as bundledRequire } from 'node:module'; const require = bundledRequire(import.meta.url);",
    },
    plugins: [plugin],
    logLevel: 'warning',
  });
  const { name, version, license } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  await writeFile(join(directory, 'package.json'), `${JSON.stringify({ name, version, license, type: 'module' })}\n`);
}
