#!/usr/bin/env node
// Nothing is imported statically but node:module, so that an old Node gets a sentence instead of a syntax or import error.
import module from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `error: cdk8s-workflows needs Node 22.19 or newer, and this is Node ${process.versions.node} (${process.execPath})\n`,
  );
  process.exitCode = 2;
} else {
  module.enableCompileCache();
  const { main } = await import('./program.ts');
  const code = await main(process.argv.slice(2));
  // Clients may hold connections open for reuse; what was asked for is done once both streams are flushed.
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
  process.exit(code);
}
