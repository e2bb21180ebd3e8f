import { describe, expect, it } from 'vitest';
import { temporaryDirectory, writeManifests } from '../local/fixtures.ts';
import { cli } from './cli.ts';

const berlin = ['--time-zone', 'Europe/Berlin', '--after', '2026-03-28T00:00Z', '--next', '2'];

describe('schedule', () => {
  it('shows the next times of an expression, with UTC beside', async () => {
    const { code, stdout, stderr } = await cli(['schedule', '30 2 * * *', ...berlin]);
    expect(stdout).toBe(`30 2 * * * in Europe/Berlin
DAY   LOCAL                        UTC                    IN
Sat   2026-03-28 02:30:00 +01:00   2026-03-28T01:30:00Z   90m
Mon   2026-03-30 02:30:00 +02:00   2026-03-30T00:30:00Z   2d
`);
    expect([code, stderr]).toEqual([0, '']);
  });

  it('gives them as JSON', async () => {
    const { stdout } = await cli(['schedule', '@hourly', ...berlin, '-o', 'json']);
    expect(JSON.parse(stdout)).toEqual({
      schedule: '@hourly',
      timeZone: 'Europe/Berlin',
      next: [
        { local: '2026-03-28T02:00:00+01:00', utc: '2026-03-28T01:00:00Z' },
        { local: '2026-03-28T03:00:00+01:00', utc: '2026-03-28T02:00:00Z' },
      ],
    });
  });

  const plan = (name: string, spec: object) => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'cdk8s-workflows' } },
    spec: { jobTemplate: { spec: { template: { spec: {} } } }, ...spec },
  });

  it('finds a plan among the manifests of an app, and says that it is suspended', async () => {
    using directory = temporaryDirectory();
    writeManifests(directory.path, [
      plan('nightly', { schedule: '0 1 * * *', timeZone: 'Asia/Kolkata', suspend: true }),
      plan('by-hand', { schedule: '0 0 31 2 *', suspend: true }),
    ]);
    const found = await cli(['schedule', 'nightly', directory.path, '--after', '2026-01-01T00:00Z', '--next', '1']);
    expect(found.stdout).toContain('nightly: 0 1 * * * in Asia/Kolkata\n');
    expect(found.stdout).toContain('Fri   2026-01-02 01:00:00 +05:30   2026-01-01T19:30:00Z   19h\n');
    expect(found.stderr).toBe('warning: plan nightly is suspended: it starts no runs until it is activated\n');
    expect((await cli(['schedule', 'nihgtly', directory.path])).stderr).toContain('did you mean "nightly"?');
    expect(await cli(['schedule', 'by-hand', directory.path])).toMatchObject({
      code: 1,
      stderr: 'error: The plan by-hand has no schedule: it is launched by hand\n',
    });
  });

  it('keeps to the dates and the interval that the runs of a plan carry', async () => {
    using directory = temporaryDirectory();
    const notes = (said: object) => ({
      schedule: '* * * * *',
      timeZone: 'UTC',
      jobTemplate: { metadata: { annotations: said } },
    });
    const between = { 'cdk8s-workflows.dev/between': '{"from":"2026-01-02T00:00:00Z","to":"2026-01-02T00:01:00Z"}' };
    writeManifests(directory.path, [
      plan('dated', notes(between)),
      plan('often', notes({ 'cdk8s-workflows.dev/every': '25' })),
    ]);
    const times = async (name: string, after: string) => {
      const { stdout } = await cli(['schedule', name, directory.path, '--after', after, '--next', '3', '-o', 'json']);
      return (JSON.parse(stdout) as { next: readonly { utc: string }[] }).next.map(({ utc }) => utc.slice(8, 19));
    };
    expect(await times('dated', '2026-01-01T00:00Z')).toEqual(['02T00:00:00']);
    expect(await times('dated', '2026-01-02T00:00Z')).toEqual([]);
    expect(await times('often', '2026-01-01T00:00Z')).toEqual(['01T00:00:25', '01T00:00:50', '01T00:01:15']);
  });

  it.each([
    [['5 4 * * 7'], 2, '"7" is not sun to sat or 0 to 6 in the day of week "7"'],
    [['@daily', '--time-zone', 'europe/berlin'], 2, 'did you mean "Europe/Berlin"?'],
    [['@daily', '--next', '0'], 2, 'must be a whole number of at least 1'],
    [['@daily', '--after', 'soon'], 2, 'must be a time such as 2026-03-28T12:00Z'],
    [['0 0 31 2 *'], 0, 'it names no day that there is: it never fires'],
  ])('%j ends with %i', async (args, code, said) => {
    const result = await cli(['schedule', ...args]);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(said);
  });
});
