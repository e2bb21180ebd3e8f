import { expect, it } from 'vitest';
import { attemptTemplate } from '../../lib/pods/attempt.ts';

it('an attempt finds its inputs first, its own variables unchanged, and other containers untouched', () => {
  const template = {
    spec: {
      containers: [
        { name: 'proxy', image: 'p' },
        {
          name: 'main',
          image: 'm',
          env: [
            { name: 'URL', value: 'http://$(INPUT_SITE)' },
            { name: 'INPUT_DAY', value: 'mine' },
          ],
        },
      ],
    },
  };
  const before = structuredClone(template);
  const { spec } = attemptTemplate(template, { run: 'r', step: 's', attempt: 1 }, { site: 'a $(b)', day: 'x' });
  expect(spec!.containers[0]).toEqual({ name: 'proxy', image: 'p' });
  expect(spec!.containers[1]!.env).toEqual([
    { name: 'INPUT_SITE', value: 'a $$(b)' },
    { name: 'WORKFLOW_RUN', value: 'r' },
    { name: 'WORKFLOW_STEP', value: 's' },
    { name: 'WORKFLOW_ATTEMPT', value: '1' },
    { name: 'WORKFLOW_OUTPUTS', value: '/dev/termination-log' },
    { name: 'URL', value: 'http://$(INPUT_SITE)' },
    { name: 'INPUT_DAY', value: 'mine' },
  ]);
  expect(template).toEqual(before);
});
