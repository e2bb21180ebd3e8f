import { Duration } from 'cdk8s';
import {
  ContainerTask,
  inputsFromFile,
  keysFromFile,
  LaunchPlan,
  LaunchPlanGroup,
  Schedule,
  Workflow,
  z,
} from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { synth, synthProblems, type Manifest } from './support.ts';

const KEY = 'cdk8s-workflows.dev';

function etl(scope: Construct) {
  const task = new ContainerTask(scope, 'extract', {
    image: 'etl:1',
    inputs: { site: z.string(), limit: z.int().default(10) },
    command: ['etl'],
  });
  const workflow = new Workflow(
    scope,
    'etl',
    { inputs: { site: z.string(), day: z.string().default('today'), limit: z.int().default(10) } },
    ({ inputs, step }) => {
      step('extract', task, { site: inputs.site });
    },
  );
  return { task, workflow };
}

type GroupProps = ConstructorParameters<typeof LaunchPlanGroup<ReturnType<typeof etl>['workflow']['inputs']>>[2];
const js = (value: unknown) => value as never;

function group(scope: Construct, props: object, id = 'sites'): LaunchPlanGroup<never> {
  const { workflow } = etl(scope);
  return new LaunchPlanGroup(scope, id, js({ workflow, ...props } as unknown as GroupProps));
}

/** The CronJobs of a group, by name. */
function plansOf(props: object): ReadonlyMap<string, Manifest> {
  const manifests = synth((chart) => void group(chart, props));
  return new Map(manifests.filter(({ kind }) => kind === 'CronJob').map((plan) => [plan.metadata.name, plan]));
}

const inputsOf = (plan: Manifest | undefined) =>
  JSON.parse(plan?.spec.jobTemplate.metadata.annotations[`${KEY}/inputs`] as string) as object;

describe('a group has a plan', () => {
  it('for every value of a list, with the input fixed and the label of the group on the plan and its runs', () => {
    const plans = plansOf({
      over: { site: ['site-a', 'site-b'] },
      schedule: Schedule.cron('@daily'),
      labels: { team: 'x' },
    });
    expect([...plans.keys()]).toEqual(['etl-site-a', 'etl-site-b']);
    const plan = plans.get('etl-site-a')!;
    expect(inputsOf(plan)).toEqual({ site: 'site-a' });
    expect(plan.metadata.annotations).toMatchObject({ [`${KEY}/fixed-inputs`]: '["site"]' });
    for (const labels of [plan.metadata.labels, plan.spec.jobTemplate.metadata.labels])
      expect(labels).toMatchObject({ [`${KEY}/group`]: 'sites', [`${KEY}/plan`]: 'etl-site-a', team: 'x' });
  });

  it('for every combination of several lists but those excluded', () => {
    const plans = plansOf({
      over: { site: ['a', 'b'], limit: [1, 2], day: ['mon', 'tue'] },
      exclude: [
        { site: 'a', limit: 2 },
        { day: 'tue', limit: 1 },
      ],
    });
    expect([...plans].map(([name, plan]) => [name, inputsOf(plan)])).toEqual([
      ['etl-a-1-mon', { site: 'a', limit: 1, day: 'mon' }],
      ['etl-b-1-mon', { site: 'b', limit: 1, day: 'mon' }],
      ['etl-b-2-mon', { site: 'b', limit: 2, day: 'mon' }],
      ['etl-b-2-tue', { site: 'b', limit: 2, day: 'tue' }],
    ]);
  });

  it('for every key of a map of inputs', () => {
    const plans = plansOf({ keys: { north: { site: 'n', limit: 1 }, south: { site: 's' } }, prefix: 'load' });
    expect([...plans].map(([name, plan]) => [name, inputsOf(plan)])).toEqual([
      ['load-north', { site: 'n', limit: 1 }],
      ['load-south', { site: 's' }],
    ]);
  });

  it('of a single task too', () => {
    const manifests = synth((chart) => {
      new LaunchPlanGroup(chart, 'sites', { task: etl(chart).task, over: { site: ['a', 'b'] } });
    });
    expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(
      expect.arrayContaining(['CronJob extract-a', 'CronJob extract-b']),
    );
    expect(manifests.find(({ kind }) => kind === 'CronJob')!.spec.jobTemplate.metadata.labels).toMatchObject({
      [`${KEY}/group`]: 'sites',
    });
  });

  it('that is changed alone by its key: fields replaced, maps and pod templates merged', () => {
    const props = {
      over: { site: ['a', 'b'] },
      schedule: Schedule.cron('0 1 * * *'),
      labels: { team: 'x', tier: 'low' },
      inputs: { day: 'monday' },
      serviceAccount: 'etl',
      podTemplate: { spec: { nodeSelector: { pool: 'small' } } },
    };
    const own = {
      schedule: Schedule.cron('0 2 * * *'),
      labels: { tier: 'high' },
      inputs: { limit: 3 },
      podTemplate: { spec: { nodeSelector: { zone: 'z' } } },
      suspended: true,
      name: 'b-alone',
    };
    const plans = plansOf({ ...props, overrides: { b: own } });
    expect([...plans.keys()]).toEqual(['etl-a', 'b-alone']);
    const { metadata, spec } = plans.get('b-alone')!;
    expect(metadata.labels).toMatchObject({ team: 'x', tier: 'high' });
    expect(spec).toMatchObject({ schedule: '0 2 * * *', suspend: true });
    expect(inputsOf(plans.get('b-alone'))).toEqual({ day: 'monday', limit: 3, site: 'b' });
    expect(JSON.parse(spec.jobTemplate.metadata.annotations[`${KEY}/pod-override`] as string)).toMatchObject({
      spec: { nodeSelector: { pool: 'small', zone: 'z' }, serviceAccountName: 'etl' },
    });
    const byFunction = plansOf({ ...props, overrides: ({ key }: { key: string }) => (key === 'b' ? own : undefined) });
    expect([...byFunction]).toEqual([...plans]);
  });

  it('that fixes what is a default of the group, by its key or alone', () => {
    const plans = plansOf({
      keys: { a: { site: 'a', limit: 1 }, b: { site: 'b' }, c: { site: 'c' } },
      inputs: { limit: 9 },
      overrides: { b: { fixedInputs: { limit: 2 } } },
    });
    expect(
      [...plans.values()].map((plan) => [inputsOf(plan), plan.metadata.annotations![`${KEY}/fixed-inputs`]]),
    ).toEqual([
      [{ site: 'a', limit: 1 }, '["limit","site"]'],
      [{ site: 'b', limit: 2 }, '["limit","site"]'],
      [{ site: 'c', limit: 9 }, '["site"]'],
    ]);
  });

  it('whose schedule is spread by its key alone: another key moves nobody, a schedule of its own stays', () => {
    const scheduleOf = (sites: readonly string[]) => {
      const plans = plansOf({
        over: { site: sites },
        schedule: Schedule.cron('0 3 * * *'),
        spread: Duration.minutes(30),
        overrides: { a: { schedule: Schedule.cron('0 4 * * *') } },
      });
      return new Map([...plans].map(([name, { spec }]) => [name, spec.schedule as string]));
    };
    const few = scheduleOf(['a', 'b', 'c']);
    const more = scheduleOf(['z', 'c', 'b', 'a', 'd']);
    for (const [name, schedule] of few) expect(more.get(name)).toBe(schedule);
    expect(few.get('etl-a')).toBe('0 4 * * *');
    expect(new Set(few.values()).size).toBe(3);
  });

  it('and a key that is gone takes its plan with it and changes nothing else', () => {
    const keys = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(keys, (sites) => {
        const settings = { schedule: Schedule.cron('@hourly'), spread: Duration.minutes(20) };
        const all = new Map(plansOf({ over: { site: sites }, ...settings }));
        const fewer = plansOf({ over: { site: sites.slice(1) }, ...settings });
        expect(all.delete(`etl-${sites[0]}`)).toBe(true);
        expect([...fewer]).toEqual([...all]);
      }),
      { numRuns: 10 },
    );
  });
});

it('What is likely a mistake is told once of a group', () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue();
  try {
    const schedule = Schedule.cron('0 3 31 2 *');
    plansOf({ over: { site: ['a', 'b', 'c'] }, schedule, spread: Duration.minutes(30) });
    expect(warn.mock.calls).toEqual([
      [
        'warning: [test/sites] schedule: "0 3 31 2 *" names no day that there is: it never fires; leave schedule out if that is meant',
      ],
    ]);
  } finally {
    warn.mockRestore();
  }
});

describe('keys are read from a file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keys-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const file = (text: string) => {
    const path = join(directory, 'keys.yaml');
    writeFileSync(path, text);
    return path;
  };
  const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: sites }\ndata:\n';

  it.each<[string, string, object?]>([
    ['a list', '[a, b]'],
    ['a map', 'a: { site: x }\nb: {}'],
    ['the data of a ConfigMap', `${configMap}  a: ''\n  b: '{ "site": "x" }'`],
    ['one value of a ConfigMap', `${configMap}  sites.yaml: |\n    - a\n    - b`, { key: 'sites.yaml' }],
    [
      'one ConfigMap of several',
      `${configMap.replace('sites', 'others')}  c: ''\n---\n${configMap}  a: ''\n  b: ''`,
      { configMap: 'sites' },
    ],
  ])('that has %s', (_name, text, options) => {
    expect(keysFromFile(file(text), options)).toEqual(['a', 'b']);
  });

  it('with the inputs of each', () => {
    expect(inputsFromFile(file('a: { site: x }\nb: { site: y, limit: 2 }'))).toEqual({
      a: { site: 'x' },
      b: { site: 'y', limit: 2 },
    });
    const plans = plansOf({ keys: inputsFromFile(file(`${configMap}  a: '{ site: x }'`)) });
    expect(inputsOf(plans.get('etl-a'))).toEqual({ site: 'x' });
  });

  it.each<[string, string, string, object?]>([
    ['is neither a list nor a map', 'text', ': must be a list or a map, not "text"'],
    ['has an item that is no text', '[a, 1]', ': [1]: must be text, not 1; put it in quotes'],
    ['has nothing', '', ': is empty; give a list or a map'],
    [
      'has maps in its list',
      '[{ site: a }]',
      ': [0]: must be text, not {"site":"a"}; give a map of key to inputs, and use inputsFromFile',
    ],
    [
      'is another object',
      'apiVersion: v1\nkind: Secret\ndata: { a: "" }',
      ': is a Secret; give a ConfigMap, or a list or a map alone',
    ],
    ['has no data', '[a]', ': data.b: is missing: the file is no ConfigMap; leave out key', { key: 'b' }],
    ['has two lists', '[a]\n---\n[b]', ': has 2 documents; give one list or map'],
    ['is no YAML', 'a: [', ': is not YAML: unexpected end of the stream within a flow collection, in line 1'],
    [
      'lacks the ConfigMap',
      `${configMap}  a: ''`,
      ': has no ConfigMap "site"; did you mean "sites"?',
      { configMap: 'site' },
    ],
    ['lacks the value', `${configMap}  a: ''`, ': data.b: is missing; did you mean "a"?', { key: 'b' }],
  ])('but for one that %s', (_name, text, message, options) => {
    const path = file(text);
    expect(() => keysFromFile(path, options)).toThrow(`Keys of a group:\n  ${path}${message}`);
  });

  it('but for one that is not there', () => {
    expect(() => keysFromFile(join(directory, 'none'))).toThrow('none: cannot be read: ENOENT');
  });
});

describe('synth refuses, all at once', () => {
  const cases: [string, (chart: Construct) => void, string[]][] = [
    [
      'inputs that the workflow lacks, values of another type, and what makes no key',
      (chart) => void group(chart, { over: { sit: ['a'], limit: ['x'] }, exclude: [{ dya: 1 }], overrides: { q: {} } }),
      [
        '[sites] over.sit: "etl" has no such input; did you mean "site"?',
        '[sites] exclude[0].dya: "etl" has no such input; did you mean "day"?',
        '[sites] exclude[0]: {"dya":1} matches no key; correct it, or take it out',
        '[sites] overrides.q: there is no such key; known are a-x',
        '[sites] fixedInputs.limit: must be integer, but is "x"',
      ],
    ],
    [
      'groups without keys',
      (chart) => {
        const { workflow } = etl(chart);
        new LaunchPlanGroup(chart, 'a', { workflow, over: { site: [] } });
        new LaunchPlanGroup(chart, 'b', { workflow, keys: {} });
        new LaunchPlanGroup(chart, 'c', { workflow, over: {} });
        new LaunchPlanGroup(chart, 'd', { workflow, over: { site: ['a'] }, exclude: [{ site: 'a' }] });
        new LaunchPlanGroup(chart, 'e', { workflow, over: { site: js('a') } });
      },
      [
        '[a] over: is empty; a group has at least one plan',
        '[b] keys: is empty; a group has at least one plan',
        '[c] over: is empty; a group has at least one plan',
        '[d] over: is empty once exclude is taken out; a group has at least one plan',
        '[e] over.site: must be a list, not "a"',
      ],
    ],
    [
      'two keys of one name, keys without one, and plans of one name in several groups',
      (chart) => {
        const { workflow } = etl(chart);
        new LaunchPlan(chart, 'etl-b', { workflow });
        new LaunchPlanGroup(chart, 'a', { workflow, over: { site: ['A-1', 'a 1', '東京', 'b'] } });
      },
      [
        '[a] key "a 1": and the key "A-1" both make the plan "etl-a-1"; rename one, or give its plan a name in overrides',
        '[a] key "東京": has no letter or digit for a name; give its plan a name in overrides',
        '[a] etl-b: name: launch plan "etl-b" exists already at chart/etl-b; rename one',
      ],
    ],
    [
      'values that are there twice or no JSON, combinations of one key, more plans than anybody means, and what is no list',
      (chart) => {
        const { workflow } = etl(chart);
        const many = Array.from({ length: 101 }, (_, index) => index);
        const over = (id: string, lists: object, exclude?: object) =>
          new LaunchPlanGroup(chart, id, js({ workflow, prefix: id, over: lists, exclude }));
        over('a', { site: ['x', 'y', 'x'] });
        over('b', { site: ['x-y', 'x'], day: ['z', 'y-z'] });
        over('c', { site: many.map(String), limit: many });
        over('d', { site: ['x'], limit: [NaN] });
        over('e', { site: ['x'] }, { site: 'x' });
      },
      [
        '[a] over.site[2]: "x" is in the list already; take it out',
        '[b] key "x-y-z": is that of {"site":"x-y","day":"z"} and of {"site":"x","day":"y-z"}; name each plan by `keys` in place of `over`',
        '[c] over: makes 10201 plans, of which a group has 10000 at most; give shorter lists, or name those that you mean by `keys`',
        '[d] over.limit[0]: NaN makes no key; give strings, numbers or booleans, or name each plan by `keys` in place of `over`',
        '[e] exclude: must be a list, not {"site":"x"}',
      ],
    ],
    [
      'once a prefix that begins no name, and an override that gives a plan the input of another key',
      (chart) => {
        const { workflow } = etl(chart);
        const over = { site: ['a', 'b', 'c'] };
        new LaunchPlanGroup(chart, 'a', { workflow, prefix: 'Bad_', over });
        const overrides = { a: { fixedInputs: { site: 'b' } }, b: { fixedInputs: { site: 'b', limit: 1 } } };
        new LaunchPlanGroup(chart, 'b', { workflow, prefix: 'b', over, overrides });
      },
      [
        '[a] prefix: "Bad_" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
        '[b] overrides.a.fixedInputs.site: is "b", but the key gives "a"; change the key, or leave it out',
      ],
    ],
    [
      'a key that is an object, names of groups that are no labels or taken, and an exclusion that matches nothing',
      (chart) => {
        const { workflow } = etl(chart);
        new LaunchPlanGroup(chart, 'a', { workflow, name: 'x'.repeat(64), over: { site: [js({ a: 1 })] } });
        new LaunchPlanGroup(chart, 'b', { workflow, name: 'same', over: { site: ['b'] }, exclude: [{ site: 'c' }] });
        new LaunchPlanGroup(chart, 'c', { workflow, name: 'same', over: { site: ['c'] } });
      },
      [
        `[a] name: "${'x'.repeat(58)}… has 64 characters; a label value holds at most 63`,
        '[a] over.site[0]: {"a":1} makes no key; give strings, numbers or booleans, or name each plan by `keys` in place of `over`',
        '[b] exclude[0]: {"site":"c"} matches no key; correct it, or take it out',
        '[c] name: launch plan group "same" exists already at chart/b; rename one',
      ],
    ],
    [
      'windows that make no sense',
      (chart) => {
        const { workflow } = etl(chart);
        const over = { site: ['a'] };
        const spread = (id: string, cron: string | undefined, window: Duration) =>
          new LaunchPlanGroup(chart, id, {
            workflow,
            over,
            prefix: id,
            ...(cron !== undefined && { schedule: Schedule.cron(cron) }),
            spread: window,
          });
        spread('a', '@daily', Duration.seconds(90));
        spread('b', undefined, Duration.minutes(5));
        spread('c', '* * * * *', Duration.minutes(5));
      },
      [
        '[a] spread: must be whole minutes, from 1 to those of a day, not 1.5; a cron schedule knows no seconds',
        '[b] spread: says nothing without a schedule; give one, or leave it out',
        '[c] spread: "* * * * *" fires every minute, so that nothing is to be spread; take a shorter window or another schedule',
      ],
    ],
    [
      'once what is wrong with several plans, and which ones',
      (chart) =>
        void group(chart, {
          over: { site: ['a', 'b', 'c', 'd', 'e', 'f'] },
          schedule: Schedule.cron('0 25 * * *'),
          overrides: ({ key }: { key: string }) => ({
            ...(key === 'a' && { timeZone: 'Mars' }),
            ...(key > 'b' && { labels: { 'a b': 'x' } }),
          }),
        }),
      [
        '[sites] schedule: "0 25 * * *" "25" is not 0 to 23 in the hour "25"',
        '[sites] etl-a: timeZone: "Mars" is not in the IANA database of time zones',
        '[sites] labels.a b: "x" must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit (in etl-c, etl-d, etl-e and 1 more)',
      ],
    ],
    [
      'pod templates of a group and one of its plans that cannot be put together',
      (chart) =>
        void group(chart, {
          over: { site: ['a'] },
          podTemplate: { spec: { $retainKeys: ['containers'] } },
          overrides: { a: { podTemplate: { spec: { hostname: 'x' } } } },
        }),
      [
        '[sites] podTemplate.spec.$retainKeys: cannot be put together with what another level says; say it at one level only, or in the override of a step',
      ],
    ],
  ];

  it.each(cases)('%s', (_name, define, expected) => {
    expect(synthProblems(define)).toEqual(expected);
  });
});
