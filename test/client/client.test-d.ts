import type { Workflow, z } from 'cdk8s-workflows';
import type { RunInfo, WorkflowsClient } from 'cdk8s-workflows/client';
import { expectTypeOf, test } from 'vitest';
import type { Json, JsonObject } from '../../lib/values/json.ts';

export declare const etl: Workflow<
  { site: z.ZodString; limit: z.ZodDefault<z.ZodInt>; tags: z.ZodArray<z.ZodString> },
  { site: string; limit: number }
>;
declare const client: WorkflowsClient;

test('the inputs of a launch have the types of the workflow, and each may be left out', () => {
  const plan = client.plan<typeof etl>('etl-a');
  expectTypeOf(plan.launch)
    .parameter(0)
    .toEqualTypeOf<{ site?: string; limit?: number | undefined; tags?: string[] } | undefined>();
  void plan.launch({ site: 'a' }, { idempotencyKey: 'k' });
  void plan.launch();
  // @ts-expect-error a number is no text
  void plan.launch({ site: 3 });
  // @ts-expect-error it has no such input
  void plan.launch({ siet: 'a' });
  // @ts-expect-error there is no such setting
  void plan.launch({}, { idempotenceKey: 'k' });
});

test('the outputs have the types of the workflow, and any may be missing', async () => {
  const run = await client.plan<typeof etl>('etl-a').launch();
  expectTypeOf(await run.wait()).toEqualTypeOf<{ readonly site?: string; readonly limit?: number }>();
  expectTypeOf(await client.run<typeof etl>('etl-a-1').get()).toEqualTypeOf<
    RunInfo<{ readonly site?: string; readonly limit?: number }>
  >();
  // @ts-expect-error it has no such output
  void (await run.outputs()).rows;
});

test('without a type they are any JSON', async () => {
  const plan = client.plan('etl-a');
  expectTypeOf(plan.launch).parameter(0).toEqualTypeOf<Readonly<Record<string, Json>> | undefined>();
  expectTypeOf(await (await plan.launch({ site: 'a', any: [1] })).wait()).toEqualTypeOf<JsonObject>();
  // @ts-expect-error a function is no JSON
  void plan.launch({ site: () => 'a' });
});
