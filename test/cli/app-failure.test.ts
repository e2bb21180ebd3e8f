import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { problemsIn } from '../../lib/cli/app/app-failure.ts';

const PROBLEMS = join(import.meta.dirname, '../../lib/values/problems.ts');

/** What an app prints that ends so. */
const printed = (code: string) =>
  spawnSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', code], { encoding: 'utf8' }).stderr;
const throwing = (options: string) =>
  `import { InvalidError } from ${JSON.stringify(PROBLEMS)};
   throw new InvalidError('Keys of a group', [{ path: 'a', message: 'is [1]' }, { path: 'b', message: 'is [2]' }]${options});`;

it.each([
  ['the problems that it throws', throwing(''), 'Keys of a group:\n  a: is [1]\n  b: is [2]'],
  [
    'and not what they followed from',
    throwing(`, { cause: new Error('x') }`),
    'Keys of a group:\n  a: is [1]\n  b: is [2]',
  ],
  [
    "what cdk8s' validation found",
    `throw new Error('Validation failed with the following errors:\\n  [a] b');`,
    'Validation failed with the following errors:\n  [a] b',
  ],
  ['nothing where its author has to debug it', `undefined.x;`, undefined],
])('of an app that failed is told %s', (_what, code, text) => {
  expect(problemsIn(printed(code))).toBe(text);
});
