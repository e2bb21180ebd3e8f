import type { Chart } from 'cdk8s';
import { Duration } from 'cdk8s';
import { ContainerTask, failed, mutex, Workflow, z, type WorkflowBuilder } from 'cdk8s-workflows';
import { describe, expect, it } from 'vitest';
import { graphProblems } from '../../lib/graph/validate.ts';
import { find, synth, synthProblems } from './support.ts';

const readinessProbe = { tcpSocket: { port: 5432 } };

function partsIn(chart: Chart) {
  const postgres = new ContainerTask(chart, 'postgres', {
    image: 'postgres:17',
    podTemplate: { spec: { containers: [{ name: 'main', readinessProbe }] } },
  });
  const bare = new ContainerTask(chart, 'bare', {
    image: 'redis:8',
    inputs: { size: z.int() },
    podTemplate: { spec: { containers: [{ name: 'main', ports: [{ containerPort: 6379 }] }] } },
  });
  const test = new ContainerTask(chart, 'test', { image: 'test:1', inputs: { host: z.string() } });
  return { chart, postgres, bare, test };
}

type Parts = ReturnType<typeof partsIn>;
type Build = <S>(builder: WorkflowBuilder<Readonly<Record<never, never>>, S>, parts: Parts) => void;

const workflow = (chart: Chart, build: Build) => {
  const parts = partsIn(chart);
  return new Workflow(chart, 'e2e', {}, (builder) => build(builder, parts));
};

const problemsOf = (build: Build) => synthProblems((chart) => workflow(chart as Chart, build));

describe('a service', () => {
  it('is a step of its own kind that gives its host', () => {
    let made: Workflow | undefined;
    synth((chart) => {
      made = workflow(chart, ({ step }, { postgres, test }) => {
        const db = step.service('db', postgres).override({ retries: 2, pendingTimeout: Duration.minutes(2) });
        step('test', test, { host: db.host });
      });
    });
    expect(graphProblems(made!.graph)).toEqual([]);
    expect(made!.graph.steps).toEqual([
      {
        kind: 'service',
        name: 'db',
        task: 'postgres',
        template: expect.stringMatching(/^e2e-db-/),
        inputs: {},
        outputs: { properties: { host: { type: 'string' } }, required: ['host'] },
        retries: { limit: 2 },
        pendingTimeoutSeconds: 120,
      },
      expect.objectContaining({ name: 'test', inputs: { host: { step: 'db', output: 'host' } } }),
    ]);
  });

  it('is given a readiness probe by its step', () => {
    const manifests = synth((chart) =>
      workflow(chart, ({ step }, { bare, test }) => {
        const cache = step.service(
          'cache',
          bare,
          { size: 3 },
          { readinessProbe: { exec: { command: ['redis-cli', 'ping'] } } },
        );
        step('test', test, { host: cache.host });
      }),
    );
    expect(find(manifests, 'PodTemplate', /cache/).template.spec.containers[0].readinessProbe).toEqual({
      exec: { command: ['redis-cli', 'ping'] },
    });
  });

  it('is needed by a workflow that is part of the one around it', () => {
    const problems = problemsOf(({ step }, { chart, postgres, test }) => {
      const inner = new Workflow(chart, 'inner', { inputs: { host: z.string() } }, ({ inputs, step: add }) => {
        add('a', test, { host: inputs.host });
      });
      step('part', inner, { host: step.service('db', postgres).host });
    });
    expect(problems).toEqual([]);
  });

  it('names all that it cannot be at once', () => {
    const problems = problemsOf(({ step }, { postgres, bare, test }) => {
      const lonely = step.service('lonely', postgres);
      const odd = step
        .service('odd', bare, { size: 3 })
        .override({ runAs: 'Job', cache: { version: '1' } })
        .lock(mutex('db'));
      step('test', test, { host: odd.host }).after(failed(lonely));
      const late = step.service('late', postgres).finally();
      step('tidy', test, { host: late.host.or('none') }).finally();
    });
    expect([...problems].sort()).toEqual([
      '[e2e/odd] readinessProbe: is missing, so that nothing tells when the service is ready; give it one, such as { tcpSocket: { port: 6379 } }',
      '[e2e] late.role: cannot be given to a service, which is stopped before the steps at the end of a run begin; start it in the container of the step that needs it',
      expect.stringMatching(
        /^\[e2e\] late: is a service that no step depends on, and would be stopped at once; pass its host/,
      ),
      expect.stringMatching(/^\[e2e\] lonely: is a service that no step depends on/),
      expect.stringMatching(/^\[e2e\] odd.cache: has no meaning: a service gives no result/),
      expect.stringMatching(/^\[e2e\] odd.locks: cannot be had by a service/),
      expect.stringMatching(/^\[e2e\] odd.runAs: is of no use to a service/),
      expect.stringMatching(/^\[e2e\] test: looks at how service "lonely" ends/),
      expect.stringMatching(/^\[e2e\] tidy: takes the host of service "late", which is stopped before/),
      expect.stringMatching(/^\[e2e\] tidy: waits for "late", which runs when all others have ended/),
    ]);
  });

  it('gives its host to nobody who reads it when it is stopped', () => {
    const made = synthProblems((chart) => {
      const { postgres, test } = partsIn(chart as Chart);
      new Workflow(chart, 'e2e', {}, ({ step }) => {
        const db = step.service('db', postgres);
        step('test', test, { host: db.host });
        return { host: db.host };
      });
    });
    expect(made).toEqual([
      '[e2e] .outputs.host: is the host of service "db", which is stopped by then; give something else',
    ]);
  });
});
