import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  manifestsOf,
  objectSchema,
  template,
  temporaryDirectory,
  writeManifests,
  type PlanFixture,
  type WorkflowFixture,
} from '../local/fixtures.ts';
import { cli } from './cli.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeAll(() => {
  directory = temporaryDirectory();
  const etl: WorkflowFixture = {
    inputs: { ...objectSchema({ site: 'string', batch: 'integer' }), required: ['site'] },
    outputs: { said: { step: 'echo', output: 'said' } },
    steps: {
      echo: {
        inputs: { site: { input: 'site' } },
        outputs: { said: 'string' },
        script: 'echo "hello $INPUT_SITE$SUFFIX"; echo "{\\"said\\": \\"$INPUT_SITE$SUFFIX\\"}" > $WORKFLOW_OUTPUTS',
      },
    },
  };
  const plans: PlanFixture[] = [
    {
      name: 'etl-a',
      inputs: { site: 'site-a', batch: 7 },
      fixed: ['site'],
      podOverride: { spec: { containers: [{ name: 'main', env: [{ name: 'SUFFIX', value: '!' }] }] } },
    },
    { name: 'etl-b', inputs: { site: 'site-b' } },
  ];
  writeManifests(join(directory.path, 'app'), manifestsOf(etl, plans));
  writeManifests(join(directory.path, 'two'), [
    ...manifestsOf(etl),
    ...manifestsOf({ name: 'other', steps: { a: {} } }),
  ]);
  writeManifests(
    join(directory.path, 'broken'),
    manifestsOf({
      steps: {
        fail: { script: 'echo first; printf "\\033[31mlast\\033[0m words\\n" >&2; exit 3' },
        after: { after: ['fail'] },
      },
    }),
  );
  writeManifests(
    join(directory.path, 'policy'),
    manifestsOf(
      {
        name: 'policy',
        steps: {
          fail: { script: 'exit 3' },
          once: { script: 'exit 3', retries: { limit: 0 } },
          store: {
            script: 'echo "{\\"at\\": \\"$WORKFLOW_ARTIFACTS\\"}" > $WORKFLOW_OUTPUTS',
            outputs: { at: 'string' },
          },
          after: { after: ['store'] },
        },
      },
      [
        {
          name: 'careful',
          policy: { failurePolicy: 'RunIndependent', retries: { limit: 2 }, spot: true, artifactRoot: 'file:///data/' },
        },
      ],
    ),
  );
  writeManifests(
    join(directory.path, 'missing'),
    manifestsOf({ steps: { a: {} } }).filter(({ kind }) => kind !== 'PodTemplate'),
  );
  writeManifests(
    join(directory.path, 'mounts'),
    manifestsOf({
      steps: { a: { template: template('true', { volumeMounts: [{ name: 'v', mountPath: '/data' }] }) } },
    }),
  );
  const cached = {
    cache: { key: 'count' },
    outputs: { rows: 'integer' },
    script: 'echo "{\\"rows\\": 7}" > $WORKFLOW_OUTPUTS',
  };
  writeManifests(
    join(directory.path, 'cached'),
    manifestsOf({ name: 'cached', steps: { count: cached } }, [{ name: 'afresh', cache: 'Off' }]),
  );
  writeFileSync(join(directory.path, 'inputs.yaml'), 'site: from-file\nbatch: 2\n');
  writeFileSync(join(directory.path, 'list.json'), '[1]');
  writeFileSync(join(directory.path, 'bad.yaml'), 'a: [1');
});
afterAll(() => directory[Symbol.dispose]());

const run = (...args: string[]) => cli(['run', ...args], { cwd: directory.path });

test('runs a workflow and prints its steps and outputs', async () => {
  const { code, stdout, stderr } = await run(
    'app',
    'etl',
    '--local',
    '--input',
    'site=x y',
    '--run',
    'first',
    '--logs',
  );
  expect(stdout.replaceAll(/\d+ms|\d\.\ds/g, 'TIME')).toBe(
    [
      'STEP   PHASE         ATTEMPTS   DURATION',
      'echo   ✓ Succeeded   1          TIME',
      '',
      'OUTPUT   VALUE',
      'said     x y',
      '',
      '✓ first succeeded in TIME',
      '  logs and record: .workflows/runs/first',
      '',
    ].join('\n'),
  );
  expect(stderr.replaceAll(/ *(\d+ms|\d\.\ds)/g, ' TIME')).toBe(
    'Run first (etl): 1 step\n TIME  ▶ echo  runs\n[echo] hello x y\n TIME  ✓ echo  succeeded in TIME\n',
  );
  expect(code).toBe(0);
});

test('-o json prints nothing but JSON on stdout', async () => {
  const { code, stdout } = await run('app', '--local', '-i', 'site=s', '-o', 'json');
  const result = JSON.parse(stdout) as { steps: { attempts: { log: string }[] }[] };
  expect(result).toMatchObject({ workflow: 'etl', phase: 'Succeeded', inputs: { site: 's' }, outputs: { said: 's' } });
  expect(readFileSync(result.steps[0]!.attempts[0]!.log, 'utf8')).toBe('hello s\n');
  expect(code).toBe(0);
});

test('inputs come from the plan, over it a file, over it options; the pod override of the plan counts', async () => {
  const { stdout } = await run('app', '--local', '--plan', 'etl-a', '-i', 'batch=9', '-o', 'json');
  expect(JSON.parse(stdout)).toMatchObject({ inputs: { site: 'site-a', batch: 9 }, outputs: { said: 'site-a!' } });
  const second = await run(
    'app',
    '--local',
    '--plan',
    'etl-b',
    '--input-file',
    'inputs.yaml',
    '-i',
    'site=typed',
    '-o',
    'json',
  );
  expect(JSON.parse(second.stdout)).toMatchObject({ inputs: { site: 'typed', batch: 2 } });
});

test('changes of pods on the command line count over those of the plan, and are checked before anything is made', async () => {
  const set = (value: string) => ['--set', `echo.spec.containers[main].env[SUFFIX].value=${value}`];
  const { stdout } = await run('app', '--local', '--plan', 'etl-a', ...set('?'), '-o', 'json');
  expect(JSON.parse(stdout)).toMatchObject({ outputs: { said: 'site-a?' } });
  const before = readdirSync(join(directory.path, '.workflows/runs'));
  const { code, stderr } = await run('app', '--local', '--set', 'ehco.spec.priority=1', '--plan', 'etl-a');
  expect([code, stderr]).toEqual([
    2,
    'error: Cannot run etl:\n  --set ehco.spec.priority: there is no step "ehco"; did you mean "echo"?\n',
  ]);
  expect(readdirSync(join(directory.path, '.workflows/runs'))).toEqual(before);
});

test('a failed run ends with 1 and shows the end of the log', async () => {
  const { code, stdout } = await run('broken', '--local', '--run', 'failing');
  expect(stdout).toContain('fail    ✗ Failed    1');
  expect(stdout).toContain('ExitCode: exit code 3: last words\n');
  expect(stdout).toContain('UpstreamFailed: step fail failed');
  expect(stdout).toContain('  the end of .workflows/runs/failing/fail-1.log:\n  | first\n  | last words\n');
  expect(stdout).toMatch(/✗ failing failed in \S+: 1 of 2 steps failed: fail \(exit code 3: last words\)/);
  expect(code).toBe(1);
});

test('says what of a pod has no meaning here', async () => {
  const { stderr } = await run('mounts', '--local');
  expect(stderr).toContain('note: nothing is mounted at /data on this machine (a)\n');
});

test('a finished run is not run again', async () => {
  await run('app', '--local', '-i', 'site=s', '--run', 'done');
  const { code, stderr } = await run('--resume', 'done');
  expect(stderr).toContain('error: run done has ended: Succeeded (Completed); start a new one\n');
  expect(code).toBe(2);
});

const see = 'See cdk8s-workflows run --help\n';
test.each<[string, string[], string]>([
  [
    'no --local',
    ['app'],
    `error: run works on this machine and wants --local; on a cluster, cdk8s-workflows launch <plan> runs a plan\n${see}`,
  ],
  ['no app', ['none', '--local'], `error: there is no file or directory none\n${see}`],
  [
    'a file of another kind',
    ['inputs.yaml', '--local'],
    `error: inputs.yaml is no TypeScript or JavaScript file\n${see}`,
  ],
  ['an unknown workflow', ['app', 'elt', '--local'], `error: there is no workflow "elt"; did you mean "etl"?\n${see}`],
  ['no workflow named of two', ['two', '--local'], `error: name the workflow: etl, other\n${see}`],
  [
    'a cluster without a fleet',
    ['app', '--local', '--cluster', 'x'],
    `error: there is no cluster "x": the app has no fleet\n${see}`,
  ],
  [
    'an unknown plan',
    ['app', '--local', '--plan', 'etl-c'],
    `error: workflow etl has no plan "etl-c"; did you mean "etl-a"?\n${see}`,
  ],
  [
    'a bad run name',
    ['app', '--local', '-i', 'site=s', '--run', 'My run'],
    `error: --run "My run" must be lower-case letters, digits and "-", and begin and end with a letter or digit\n${see}`,
  ],
  [
    'no parallelism',
    ['app', '--local', '--parallelism', '0'],
    `error: --parallelism <number>: "0" is not valid; must be a whole number of at least 1\n${see}`,
  ],
  ['nothing to resume', ['--resume'], `error: there is no interrupted run here\n${see}`],
  ['an unknown run', ['--resume', 'nope'], `error: there is no run "nope" here; `],
  [
    'resuming with inputs',
    ['--resume=x', '-i', 'a=b'],
    `error: --resume goes on with what the run began with; leave out --input\n${see}`,
  ],
  [
    'a missing template',
    ['missing', '--local'],
    'error: Manifests of workflow etl:\n  ConfigMap etl-0123456789: step a: there is no PodTemplate "etl-a"\n',
  ],
  [
    'an unreadable file',
    ['app', '--local', '--input-file', 'none.yaml'],
    "error: ENOENT: no such file or directory, open '",
  ],
  ['an unknown option', ['app', '--locla'], `error: unknown option "--locla"; did you mean "--local"?\n${see}`],
  [
    'an unknown format',
    ['app', '--local', '-o', 'yaml'],
    'error: -o, --output <format>: "yaml" is not valid; known are json\n',
  ],
])('refuses %s', async (_, args, message) => {
  const { code, stderr, stdout } = await run(...args);
  expect(stderr.slice(0, message.length)).toBe(message);
  expect(stdout).toBe('');
  expect(code).toBe(message.includes('ENOENT') ? 1 : 2);
});

test('tells all that is wrong with inputs at once', async () => {
  const { code, stderr } = await run(
    'app',
    '--local',
    '--plan',
    'etl-a',
    '-i',
    'site=other',
    '-i',
    'batch=many',
    '-i',
    'bacth=1',
    '-i',
    'x',
  );
  expect(stderr).toContain('error: Inputs of plan etl-a:\n');
  for (const part of [
    '--input x',
    'site',
    'fixed',
    'batch',
    'must be integer, but is "many"',
    'bacth',
    'did you mean "batch"?',
  ])
    expect(stderr).toContain(part);
  expect(code).toBe(2);
});

test.each([
  ['list.json', 'must hold an object of inputs by name, not [1]'],
  ['bad.yaml', 'is neither JSON nor YAML'],
])('refuses the input file %s', async (file, message) => {
  const { code, stderr } = await run('app', '--local', '--plan', 'etl-b', '--input-file', file);
  expect(stderr).toContain(`--input-file ${file}: ${message}`);
  expect(code).toBe(2);
});

test('a step takes what an equal one gave before, unless the run says otherwise', async () => {
  const reason = async (...args: string[]) => {
    const { stdout } = await run('cached', 'cached', '--local', '-o', 'json', ...args);
    return (JSON.parse(stdout) as { steps: { reason: string }[] }).steps[0]!.reason;
  };
  expect(await reason('--no-cache')).toBe('Completed');
  expect(await reason()).toBe('Completed');
  expect(await reason()).toBe('Cached');
  expect(await reason('--overwrite-cache')).toBe('Completed');
  expect(await reason('--plan', 'afresh')).toBe('Completed');
  expect(await reason('--set', 'count.spec.containers[main].env=[{"name":"MODE","value":"fast"}]')).toBe('Completed');
  const { stdout, stderr } = await run('cached', '--local');
  expect(stdout).toMatch(/count +✓ Succeeded +- +- +from the cache: step count of run cached-\S+, \d s ago/);
  expect(stderr).toMatch(/✓ count +from the cache: step count/);
  const both = await run('cached', '--local', '--no-cache', '--overwrite-cache');
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('"--overwrite-cache" cannot be used with')]);
});

test('a run goes as the plan says, and over it the command line', async () => {
  const stepsOf = async (name: string, ...args: string[]) => {
    const plan = ['--plan', 'careful', '--run', name];
    const { stdout } = await run('policy', '--local', '--parallelism', '1', ...plan, '-o', 'json', ...args);
    const { steps } = JSON.parse(stdout) as {
      steps: { name: string; phase: string; attempts: unknown[]; outputs?: object }[];
    };
    return Object.fromEntries(
      steps.map(({ name, phase, attempts, outputs }) => [
        name,
        [phase, attempts.length, ...(outputs === undefined ? [] : [outputs])],
      ]),
    );
  };
  expect(await stepsOf('as-planned')).toEqual({
    fail: ['Failed', 3],
    once: ['Failed', 1],
    store: ['Succeeded', 1, { at: 'file:///data/as-planned/store/1' }],
    after: ['Succeeded', 1],
  });
  expect(await stepsOf('once-more', '--retries', '1')).toMatchObject({ fail: ['Failed', 2], once: ['Failed', 1] });
  const elsewhere = ['--failure-policy', 'FinishRunning', '--artifact-root', 's3://acme'];
  expect(await stepsOf('elsewhere', ...elsewhere)).toMatchObject({ once: ['Failed', 1], after: ['Skipped', 0] });
  const resumed = await run('--local', '--resume', '--retries', '1');
  expect(resumed.stderr).toContain('--resume goes on with what the run began with; leave out --retries');
});
