import { Workflow } from 'cdk8s-workflows';
import { expect, it } from 'vitest';
import { find, synth, synthProblems } from './support.ts';

const LIMIT = 'cdk8s-workflows.dev/revision-history-limit';

it('a graph says how many of its versions are kept, which is no part of the version', () => {
  const [plain, limited] = [undefined, 3].map((revisionHistoryLimit) =>
    find(
      synth((chart) => new Workflow(chart, 'etl', { revisionHistoryLimit })),
      'ConfigMap',
    ),
  );
  expect(limited!.metadata.annotations).toEqual({ ...plain!.metadata.annotations, [LIMIT]: '3' });
  expect(limited!.metadata.name).toBe(plain!.metadata.name);
});

it.each([-1, 1.5])('%s is no number of versions', (revisionHistoryLimit) => {
  expect(synthProblems((chart) => new Workflow(chart, 'etl', { revisionHistoryLimit }))).toEqual([
    `[etl] revisionHistoryLimit: must be a whole number from 0, not ${revisionHistoryLimit}`,
  ]);
});
