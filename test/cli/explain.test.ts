import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { ExplainedPod } from '../../lib/cli/app/explained-pod.ts';
import { manifestsOf, temporaryDirectory, writeManifests } from '../local/fixtures.ts';
import { cli } from './cli.ts';

const APP = 'test/apps/fixtures/explained.ts';
const root = join(import.meta.dirname, '../..');

/** Where in the app a text first stands. */
function at(text: string): string {
  const app = readFileSync(join(root, APP), 'utf8');
  return `${APP}:${app.slice(0, app.indexOf(text)).split('\n').length}`;
}

/** Lines without the spaces between columns. */
const rows = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/(?<=[^\s+-]) {3,}/g, ' | '));

test('a pod is shown with who set each field where, and what was there before', async () => {
  const { code, stdout } = await cli(['explain', 'etl/big', APP, '--plan', 'nightly']);
  const [fleet, task, first, plan] = [
    'new Fleet',
    'new ContainerTask',
    '.override({ podTemplate',
    'new LaunchPlan',
  ].map(at);
  const second = at('.override({\n');
  expect(rows(stdout)).toEqual([
    'etl/big on eu with plan nightly | SET BY | AT | BEFORE',
    'spec:',
    '  restartPolicy: Never | base',
    '  containers:',
    '    - name: main | base',
    `      image: etl:1 | task extract | ${task}`,
    '      env:',
    `        - name: LEVEL | task extract | ${task}`,
    `          value: debug | step override | ${second} | was "info" (task extract, ${task})`,
    `        # - MODE | step override | ${second} | removed, was {"name":"MODE","value":"fast"} (task extract, ${task})`,
    '  nodeSelector:',
    `    zone: eu-1 | cluster defaults | ${fleet}`,
    `    pool: spot | plan override | ${plan} | was "large" (step override, ${second})`,
    expect.stringMatching(/^ +was "medium" \(step override, .*\)$/),
    expect.stringMatching(/^ +was "small" \(task extract, .*\)$/),
    `  terminationGracePeriodSeconds: 30 | cluster defaults | ${fleet}`,
    `  # hostNetwork: | step override | ${first} | removed, was true (task extract, ${task})`,
    `  serviceAccountName: robot | plan override | ${plan}`,
    '  securityContext:',
    `    runAsNonRoot: true | cluster policy | ${fleet}`,
    `  tolerations: | cluster policy | ${fleet}`,
    '    - key: eu',
    '      operator: Exists',
  ]);
  expect(code).toBe(0);
});

test.each([
  ['once', 'us', 'hostNetwork', /# hostNetwork: +step override .* removed, was true/],
  ['alone', 'eu', 'serviceAccountName', /serviceAccountName: robot +plan override +test/],
])('the single task %s is shown by the name of what runs it', async (name, cluster, field, line) => {
  const { code, stdout } = await cli(['explain', name, APP, '--cluster', cluster, '--field', `spec.${field}`]);
  expect(stdout).toMatch(new RegExp(`^${name} on ${cluster} +SET BY`));
  expect(stdout.split('\n')[2]).toMatch(line);
  expect(code).toBe(0);
});

test('what a launch would change is shown over all but the policy', async () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, 'a100.yaml');
  writeFileSync(file, 'spec: { nodeSelector: { pool: a100 } }\nsteps: { extract: { spec: { priority: 1 } } }\n');
  const set = 'big.spec.tolerations=[{key: a100, operator: Exists}]';
  const { stdout } = await cli([
    'explain',
    'etl/big',
    APP,
    '--plan',
    'nightly',
    '--override',
    file,
    '--set',
    set,
    '-o',
    'json',
  ]);
  const { template, fields } = JSON.parse(stdout) as ExplainedPod;
  expect(template.spec).toMatchObject({
    nodeSelector: { pool: 'a100' },
    tolerations: [{ key: 'a100' }, { key: 'eu' }],
  });
  expect(template.spec).not.toHaveProperty('priority');
  expect(fields.find(({ path }) => path === 'spec.nodeSelector.pool')).toMatchObject({
    layer: 'run override',
    replaced: [{ value: 'spot', layer: 'plan override' }, { value: 'large' }, { value: 'medium' }, { value: 'small' }],
  });
});

test.each([
  [
    'etl/big',
    ['bgi.spec.priority=1', 'big.spec.priority=high'],
    [
      '--set bgi.spec.priority: there is no step "bgi"; did you mean "big"?',
      '--set big.spec.priority: must be a whole number, not "high"',
    ],
  ],
  [
    'alone',
    ['extract.spec.securityContext.runAsNonRoot=false', '*.spec.containers[main].volumeMounts[/d].name=d'],
    [
      'spec.securityContext.runAsNonRoot: is false and must be true: run override set it, cluster policy of eu',
      'spec.containers[main].volumeMounts[/d]: there is no volume "d" (run override); add it to spec.volumes',
    ],
  ],
])('what a launch of %s could not change is told as it would tell it', async (name, sets, problems) => {
  const options = sets.flatMap((set) => ['--set', set]);
  const { code, stdout, stderr } = await cli(['explain', name, APP, '--cluster', 'eu', ...options]);
  const lines = stderr.trimEnd().split('\n');
  expect(lines[0]).toBe(`error: Cannot launch ${name} so:`);
  expect(lines.slice(1)).toEqual(problems.map((problem) => expect.stringContaining(problem)));
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test.each([
  ['spec.nodeSelector.zone', ['spec:', '  nodeSelector:', '    zone: eu-1']],
  [
    '.spec.containers[main].env.LEVEL.value',
    ['spec:', '  containers:', '    - name: main', '      env:', '        - name: LEVEL', '          value: debug'],
  ],
  ['spec.tolerations[0].key', ['spec:', '  tolerations:', '    - key: eu', '      operator: Exists']],
])('--field %s shows that field and where it is', async (field, expected) => {
  const { stdout } = await cli(['explain', 'etl/big', APP, '--cluster', 'eu', '--field', field]);
  expect(
    rows(stdout)
      .slice(1)
      .map((line) => line.split(' | ')[0]),
  ).toEqual(expected);
});

test('as JSON it has the template, and the fields with all that they replaced', async () => {
  const { stdout, stderr } = await cli(['explain', 'etl/big', APP, '-o', 'json', '--field', 'spec.nodeSelector.pool']);
  expect(JSON.parse(stdout)).toMatchObject({
    workflow: 'etl',
    step: 'big',
    cluster: 'eu',
    podTemplate: expect.stringMatching(/^etl-big-/),
    template: { spec: { nodeSelector: { zone: 'eu-1', pool: 'large' } } },
    fields: [
      {
        path: 'spec.nodeSelector.pool',
        value: 'large',
        layer: 'step override',
        replaced: [{ value: 'medium' }, { value: 'small', layer: 'task', source: 'etl/extract' }],
      },
    ],
  });
  expect(stderr).toContain('as cluster eu gets it; the workflow differs on us (--cluster picks one)');
});

test('two steps are compared field by field, each with who set it', async () => {
  const { code, stdout } = await cli(['compare', 'etl/extract', 'etl/big', APP, '--cluster', 'us']);
  expect(rows(stdout).map((line) => line.split(' | ').slice(0, 2).join(' | '))).toEqual([
    '--- etl/extract | SET BY',
    '+++ etl/big',
    '  spec:',
    '    containers:',
    '      - name: main',
    '        env:',
    '          - name: LEVEL',
    '-           value: info | task extract',
    '+           value: debug | step override',
    '-         - name: MODE | task extract',
    '-           value: fast | task extract',
    '    nodeSelector:',
    '-     pool: small | task extract',
    '+     pool: large | step override',
    '-   hostNetwork: true | task extract',
  ]);
  expect(code).toBe(0);
});

test('steps with the same pod are said to be the same', async () => {
  const { code, stdout, stderr } = await cli(['compare', 'etl/extract', 'only-us/extract', APP, '--cluster', 'us']);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: 'The pod templates are the same.\n' });
});

test.each([
  [['etl'], '"etl" names no step and no single task; give <workflow>/<step>, or a single task: known are once, alone'],
  [['onec'], '"onec" names no step and no single task; give <workflow>/<step>, or a single task: did you mean "once"?'],
  [['nightly'], '"nightly" launches a workflow; give etl/<step> --plan nightly'],
  [['once', '--plan', 'nightly'], '--plan goes with a step; "once" is a single task'],
  [['once', '--set', '*.spec.priority=1'], 'are for a launch, and nothing launches the Job "once"'],
  [['elt/big'], 'there is no workflow "elt"; did you mean "etl"?'],
  [['etl/bgi'], 'workflow "etl" has no step "bgi"; did you mean "big"?'],
  [['etl/big', '--cluster', 'ue'], 'there is no cluster "ue"; did you mean "eu"?'],
  [['etl/big', '--plan', 'nigthly'], 'workflow "etl" has no launch plan "nigthly"; did you mean "nightly"?'],
  [['etl/big', '--plan', 'nightly', '--cluster', 'us'], 'has no launch plan "nightly" on cluster "us"; it is on eu'],
  [['etl/big', '--field', 'spec.nodeSelecter'], 'sets no "nodeSelecter" in spec; did you mean "nodeSelector"?'],
  [['etl/big', '--field', 'sepc.nodeSelector'], 'sets no "sepc.nodeSelector"; known are spec'],
  [['etl/big', '--field', 'spec.containers.man.image'], 'sets no "man.image" in spec.containers; known are main'],
  [['etl/big', '--field', 'spec.nodeSelector.a'], 'sets no "a" in spec.nodeSelector; known are zone, pool'],
])('%j is answered with what to do', async ([step, ...options], message) => {
  const { code, stdout, stderr } = await cli(['explain', step!, APP, ...options]);
  expect(stderr).toContain(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('manifests alone do not tell who wrote what', async () => {
  using directory = temporaryDirectory();
  writeManifests(directory.path, manifestsOf({ steps: { a: {} } }));
  const { code, stderr } = await cli(['explain', 'etl/a', directory.path]);
  expect(stderr).toContain('holds manifests, which do not tell who wrote what; give the app that made them');
  expect(code).toBe(2);
});

test('on a narrow terminal, what was there before stands below, in colours', async () => {
  const { stdout } = await cli(['explain', 'etl/big', APP, '--cluster', 'us', '--field', 'spec.nodeSelector'], {
    columns: 90,
    env: { TERM: 'xterm' },
  });
  const lines = stripVTControlCharacters(stdout).split('\n');
  const pool = lines.findIndex((line) => line.includes('pool: large'));
  expect(lines[pool]).toMatch(/step override +test\/apps/);
  expect(lines[pool + 1]).toMatch(/^ {10,}was "medium"/);
  expect(lines[0]).not.toContain('BEFORE');
  expect(stdout).not.toBe(stripVTControlCharacters(stdout));
});

test('steps, plans and clusters are completed from what the last synth wrote', async () => {
  using directory = temporaryDirectory();
  mkdirSync(join(directory.path, 'dist'));
  writeFileSync(join(directory.path, 'cdk8s.yaml'), 'app: exit 1\n');
  writeManifests(join(directory.path, 'dist'), manifestsOf({ steps: { a: {}, b: {} } }, [{ name: 'nightly' }]));
  const completed = async (...words: string[]) =>
    (await cli(['__complete', '--', ...words], { cwd: directory.path })).stdout.split('\n').filter(Boolean);
  expect(await completed('explain', 'et')).toEqual(['etl/a', 'etl/b']);
  expect(await completed('compare', 'etl/a', '')).toEqual(['etl/a', 'etl/b']);
  expect(await completed('explain', 'etl/a', '')).toEqual([':files']);
  expect(await completed('explain', 'etl/a', '.', '--plan', '')).toEqual(['nightly']);
});

// `vitest -u` writes what they print now.
test('docs/pods.md shows what the commands print', async () => {
  const file = join(root, 'docs/pods.md');
  const docs = readFileSync(file, 'utf8');
  let printed = docs;
  for (const [block, command] of docs.matchAll(/^```\n\$ npx cdk8s-workflows (.*)\n[^]*?^```$/gm)) {
    const { stdout } = await cli(command!.split(' '));
    printed = printed.replace(block, () => `\`\`\`\n$ npx cdk8s-workflows ${command}\n${stdout}\`\`\``);
  }
  expect(printed).toContain('$ npx cdk8s-workflows explain train-large/train apps/gpu-training\ntrain-large/train ');
  await expect(printed).toMatchFileSnapshot(file);
});
