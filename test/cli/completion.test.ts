import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manifestsOf, objectSchema, temporaryDirectory, writeManifests } from '../local/fixtures.ts';
import { cli } from './cli.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeAll(() => {
  directory = temporaryDirectory();
  const app = join(directory.path, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'cdk8s.yaml'), 'app: exit 1\n');
  const inputs = objectSchema({ site: 'string', day: 'string' });
  const etl = manifestsOf({ inputs, steps: { a: {} } }, [{ name: 'etl-a' }]);
  writeManifests(join(app, 'dist'), [
    ...etl,
    ...manifestsOf({ name: 'export', steps: { a: {} } }, [{ name: 'weekly' }]),
  ]);
  mkdirSync(join(directory.path, '.workflows/runs/etl-1'), { recursive: true });
});
afterAll(() => directory[Symbol.dispose]());

test.each<[string[], string[]]>([
  [['sy'], ['synth']],
  [['--ver'], ['--version']],
  [
    ['run', 'app', ''],
    ['etl', 'export'],
  ],
  [['run', 'app', 'ex'], ['export']],
  [['run', 'app', 'etl', ''], []],
  [
    ['run', '--local', 'app', '--logs', ''],
    ['etl', 'export'],
  ],
  [['run', 'app', 'etl', '--plan', ''], ['etl-a']],
  [
    ['run', 'app', '--plan', ''],
    ['etl-a', 'weekly'],
  ],
  [['run', 'app', '--plan=w'], ['--plan=weekly']],
  [
    ['run', 'app', 'etl', '--input', ''],
    ['day=', 'site='],
  ],
  [['run', 'app', 'etl', '-i', 's'], ['site=']],
  [['run', '--resume', ''], ['etl-1']],
  [['run', ''], [':files']],
  [['run', '--input-file', ''], [':files']],
  [['run', '-o', ''], ['json']],
  [['run', '--pa'], ['--parallelism']],
  [
    ['graph', 'app', '--format', ''],
    ['mermaid', 'svg', 'json'],
  ],
  [['graph', 'app', '--format=s'], ['--format=svg']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['run', 'nowhere', ''], []],
  [['no-such-command', 'x'], []],
])('%j is completed with %j', async (words, expected) => {
  const { code, stdout } = await cli(['__complete', '--', ...words], { cwd: directory.path });
  expect(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t')[0]),
  ).toEqual(expected);
  expect(code).toBe(0);
});

test('--cluster is completed with the clusters of the fleet that are in use', async () => {
  const fleet = join(directory.path, 'fleet');
  mkdirSync(join(fleet, 'dist'), { recursive: true });
  const clusters = { test: {}, prod: {}, old: { enabled: false } };
  writeFileSync(join(fleet, 'dist/placement.json'), JSON.stringify({ clusters }));
  for (const command of ['runs', 'launch', 'logs', 'suspend'])
    expect((await cli(['__complete', '--', command, '--cluster', ''], { cwd: fleet })).stdout).toBe('test\nprod\n');
  expect((await cli(['__complete', '--', 'runs', '--cluster=p'], { cwd: fleet })).stdout).toBe('--cluster=prod\n');
});

test.each([
  ['bash', 'bash'],
  ['zsh', 'zsh'],
] as const)('the script for %s is valid', async (shell, program) => {
  const { stdout } = await cli(['completion', shell]);
  const script = join(directory.path, `completion.${shell}`);
  writeFileSync(script, stdout);
  try {
    execFileSync(program, ['-n', script], { stdio: 'pipe' });
  } catch (error) {
    // A machine without that shell has nothing to check it with.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
});

test('bash completes what stands after a "=" and goes on typing after an input', () => {
  const bin = join(directory.path, 'cdk8s-workflows');
  const main = join(import.meta.dirname, '../../lib/cli/bin.ts');
  writeFileSync(bin, `#!/bin/sh\nexec "${process.execPath}" --conditions=source "${main}" "$@"\n`, { mode: 0o755 });
  const script = `
    source <(cdk8s-workflows completion bash)
    try() {
      COMP_LINE="$1"; COMP_POINT=\${#1}; read -ra COMP_WORDS <<<"\${1//=/ = }"; [[ $1 == *' ' ]] && COMP_WORDS+=("")
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _cdk8s_workflows; echo "\${COMPREPLY[*]}"
    }
    try 'cdk8s-workflows ru'; try 'cdk8s-workflows run app --plan=w'; try 'cdk8s-workflows run app '; try 'cdk8s-workflows graph app --format='`;
  const env = { ...process.env, PATH: `${directory.path}:${process.env.PATH}` };
  const said = execFileSync('bash', ['-c', script], {
    cwd: directory.path,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  expect(said).toBe('run runs\nweekly\netl export\nmermaid svg json\n');
});
