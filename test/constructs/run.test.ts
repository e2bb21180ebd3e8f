import { Run } from 'cdk8s-workflows';
import { describe, expect, it } from 'vitest';
import { etl } from './etl.ts';
import { find, synth } from './support.ts';

const KEY = 'cdk8s-workflows.dev';

describe('a run as a manifest', () => {
  const run = (inputs: { site: string; day?: string }, name?: string) =>
    find(
      synth((chart) => void new Run(chart, 'now', { workflow: etl(chart).workflow, inputs, name })),
      'Job',
    );

  it('is a managed Job with its inputs', () => {
    const { metadata, spec } = run({ site: 'a' });
    expect(metadata.annotations).toMatchObject({ [`${KEY}/inputs`]: '{"site":"a"}' });
    expect(spec).toMatchObject({ managedBy: 'cdk8s-workflows.dev/controller', completions: 1 });
  });

  it('is named by what it runs, so that applying it again starts nothing', () => {
    expect(run({ site: 'a' }).metadata.name).toMatch(/^now-[0-9a-v]{10}$/);
    expect(run({ site: 'a' }).metadata.name).toBe(run({ site: 'a' }).metadata.name);
    expect(run({ site: 'b' }).metadata.name).not.toBe(run({ site: 'a' }).metadata.name);
    expect(run({ site: 'a' }, 'mine').metadata.name).toBe('mine');
  });
});
