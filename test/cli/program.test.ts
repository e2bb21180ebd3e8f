import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { programName } from '../../lib/cli/context.ts';
import { wantsColors } from '../../lib/cli/terminal/output.ts';
import { printable } from '../../lib/cli/local/progress.ts';
import { phaseStyle, takesUnicode } from '../../lib/cli/terminal/phases.ts';
import { commandModules } from '../../lib/cli/program.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { cli } from './cli.ts';

test('without a command it shows its help', async () => {
  const { code, stdout, stderr } = await cli([]);
  expect(stdout).toContain('Usage: cdk8s-workflows [options] [command]');
  expect(stdout).toContain(
    'Exit codes: 0 done, 1 what was asked for failed, 2 wrong usage or bad input, 130 interrupted.',
  );
  expect(stdout).not.toContain('__complete');
  expect(stderr).toBe('');
  expect(code).toBe(0);
});

test('every command has help with its name as it was called', async () => {
  for (const { name } of commandModules) {
    const { code, stdout } = await cli([name, '--help'], { program: 'kubectl workflows' });
    expect(stdout).toMatch(new RegExp(`^Usage: kubectl workflows ${name} `));
    expect(stdout).not.toContain('cdk8s-workflows ');
    expect(code).toBe(0);
  }
});

test.each([
  ['/usr/bin/cdk8s-workflows', 'cdk8s-workflows'],
  ['/usr/bin/kubectl-workflows', 'kubectl workflows'],
  ['/usr/lib/kubectl-workflows.js', 'kubectl workflows'],
  ['/x/bin.ts', 'cdk8s-workflows'],
])('called as %s it is %s', (path, name) => {
  expect(programName(path)).toBe(name);
});

test('prints its version', async () => {
  expect((await cli(['--version'])).stdout).toBe(`${packageJson.version}\n`);
});

test.each([
  [['synht'], 'error: unknown command "synht"; did you mean "synth"?\nSee cdk8s-workflows --help\n'],
  [
    ['synth', '--outptu', 'x'],
    'error: unknown option "--outptu"; did you mean "--output"?\nSee cdk8s-workflows synth --help\n',
  ],
  [['synth', '-o'], 'error: option "-o, --output <directory>" argument missing\nSee cdk8s-workflows synth --help\n'],
  [
    ['synth', 'a', 'b'],
    'error: too many arguments for "synth". Expected 1 argument but got 2: a, b.\nSee cdk8s-workflows synth --help\n',
  ],
  [['completion'], 'error: missing required argument "shell"\nSee cdk8s-workflows completion --help\n'],
  [
    ['completion', 'fsh'],
    'error: <shell>: "fsh" is not valid; did you mean "fish"?\nSee cdk8s-workflows completion --help\n',
  ],
])('%j is wrong usage', async (args, message) => {
  const { code, stderr } = await cli(args);
  expect(stderr.replace('"zsh"', '"fish"')).toBe(message);
  expect(code).toBe(2);
});

test('--debug and DEBUG show where an error happened', async () => {
  for (const [args, env] of [
    [['synth', 'none', '--debug'], {}] as const,
    [['synth', 'none'], { DEBUG: '1' }] as const,
  ]) {
    const { stderr } = await cli(args, { env });
    expect(stderr).toContain('UsageError: there is no file or directory none');
    expect(stderr).toContain('app.ts');
  }
  expect((await cli(['synth', 'none'])).stderr).not.toContain('app.ts');
});

test.each([
  [{ isTTY: true }, {}, true],
  [{ isTTY: false }, {}, false],
  [{ isTTY: true }, { NO_COLOR: '1' }, false],
  [{ isTTY: true }, { NO_COLOR: '' }, true],
  [{ isTTY: true }, { TERM: 'dumb' }, false],
  [{ isTTY: false }, { FORCE_COLOR: '1' }, true],
  [{ isTTY: true }, { FORCE_COLOR: '0' }, false],
  [{ isTTY: false }, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
])('colours on %j with %j: %s', (stream, env, expected) => {
  expect(wantsColors({ write: () => {}, ...stream }, env)).toBe(expected);
});

test('a terminal gets colours in the help, a file does not', async () => {
  expect((await cli(['--help'], { columns: 100 })).stdout).toContain('\u001b[1m');
  expect((await cli(['--help'])).stdout).not.toContain('\u001b');
});

test.each([
  ['plain', true, 'plain'],
  ['10%\r50%\r100%', true, '100%'],
  ['done\r', true, 'done'],
  ['\u001b[32mgreen\u001b[0m', true, '\u001b[32mgreen\u001b[0m\u001b[0m'],
  ['\u001b[32mgreen\u001b[0m', false, 'green'],
  ['\u001b[2J\u001b[Hcleared\u0007', true, 'cleared'],
  ['a\tb', true, 'a\tb'],
])('%j is printed safely', (line, colors, expected) => {
  expect(printable(line, colors)).toBe(expected);
});

test.each([
  [{}, true],
  [{ LANG: 'de_DE.UTF-8' }, true],
  [{ LC_ALL: 'C' }, false],
  [{ LANG: 'de_DE.ISO8859-1' }, false],
  [{ TERM: 'linux', LANG: 'C.UTF-8' }, false],
])('a terminal with %j takes Unicode: %s', (env, expected) => {
  expect(takesUnicode(env)).toBe(expected);
  const colors = { red: (text: string) => text } as Parameters<typeof phaseStyle>[0];
  expect(phaseStyle(colors, env).glyph('Failed')).toBe(expected ? '✗' : 'x');
});

test('starts quickly: before a command is called, nothing is loaded but declarations and commander', () => {
  const hook = `import { registerHooks } from 'node:module'; const urls = []; registerHooks({ load(url, context, next) { urls.push(url); return next(url, context); } }); process.on('exit', () => console.error(urls.join('\\n')));`;
  const { stderr } = spawnSync(
    process.execPath,
    ['--conditions=source', `--import=data:text/javascript,${encodeURIComponent(hook)}`, 'lib/cli/bin.ts', '--help'],
    { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' },
  );
  const urls = stderr.split('\n').filter((url) => url.startsWith('file:'));
  expect(urls.length).toBeGreaterThan(10);
  expect(urls.filter((url) => url.includes('/actions/'))).toEqual([]);
  const packages = urls.flatMap((url) => /node_modules\/([^/]+)/.exec(url)?.[1] ?? []);
  expect([...new Set(packages)].sort()).toEqual(['commander', 'picocolors']);
});
