import { type Chart, Duration } from 'cdk8s';
import { inputsFromFile, keysFromFile, LaunchPlanGroup, Schedule, type Workflow, type z } from 'cdk8s-workflows';
import { it } from 'vitest';

type Inputs = { site: z.ZodString; limit: z.ZodDefault<z.ZodInt>; mode: z.ZodEnum<{ fast: 'fast'; slow: 'slow' }> };

it('a group is over inputs of its workflow, with values of their types', (chart: never) => {
  const scope = chart as Chart;
  const workflow = undefined as unknown as Workflow<Inputs>;

  new LaunchPlanGroup(scope, 'a', { workflow, over: { site: ['a', 'b'], limit: [1, 2], mode: ['fast'] } });
  new LaunchPlanGroup(scope, 'a', { workflow, keys: { north: { site: 'n' }, south: { site: 's', limit: 3 } } });
  new LaunchPlanGroup(scope, 'a', { workflow, over: { site: keysFromFile('sites.yaml') } });
  new LaunchPlanGroup(scope, 'a', { workflow, keys: inputsFromFile('sites.yaml') });
  new LaunchPlanGroup(scope, 'a', {
    workflow,
    over: { site: ['a'] },
    exclude: [{ site: 'a' }],
    spread: Duration.minutes(5),
    overrides: ({ key, inputs }) => ({ labels: { key }, inputs: { limit: inputs.limit } }),
  });

  // @ts-expect-error -- no such input
  new LaunchPlanGroup(scope, 'a', { workflow, over: { sit: ['a'] } });
  // @ts-expect-error -- no such input, beside one that there is
  new LaunchPlanGroup(scope, 'a', { workflow, over: { site: ['a'], sit: ['a'] } });
  // @ts-expect-error -- a value of another type
  new LaunchPlanGroup(scope, 'a', { workflow, over: { site: ['a', 1] } });
  // @ts-expect-error -- a value that the input does not allow
  new LaunchPlanGroup(scope, 'a', { workflow, over: { mode: ['medium'] } });
  // @ts-expect-error -- no list
  new LaunchPlanGroup(scope, 'a', { workflow, over: { site: 'a' } });
  // @ts-expect-error -- no such input of a key
  new LaunchPlanGroup(scope, 'a', { workflow, keys: { north: { site: 'n', sit: 'm' } } });
  // @ts-expect-error -- a value of another type of a key
  new LaunchPlanGroup(scope, 'a', { workflow, keys: { north: { limit: 'n' } } });
  // @ts-expect-error -- both
  new LaunchPlanGroup(scope, 'a', { workflow, over: { site: ['a'] }, keys: { north: { site: 'n' } } });
  // @ts-expect-error -- neither
  new LaunchPlanGroup(scope, 'a', { workflow, schedule: Schedule.cron('@daily') });
  // @ts-expect-error -- an exclusion of no input
  new LaunchPlanGroup(scope, 'a', { workflow, over: { site: ['a'] }, exclude: [{ sit: 'a' }] });
  // @ts-expect-error -- an override of a field that a plan does not have
  new LaunchPlanGroup(scope, 'a', { workflow, over: { site: ['a'] }, overrides: { a: { scheduel: undefined } } });
  // @ts-expect-error -- an override of an input that there is not
  new LaunchPlanGroup(scope, 'a', { workflow, over: { site: ['a'] }, overrides: () => ({ inputs: { sit: 'b' } }) });
});
