import { serviceOutputs, type ServiceStep, type TaskStep } from './graph.ts';
import type { StepRules } from './step-kinds.ts';
import { taskRules } from './task-rules.ts';

/** What the graph must know of a step that stays up while others run. */
export const serviceRules: StepRules<ServiceStep> = {
  sources: (step) => taskRules.sources(step as unknown as TaskStep),
  replace: (step, by) => taskRules.replace(step as unknown as TaskStep, by) as unknown as ServiceStep,
  misfits: (step) => taskRules.misfits(step),
  *problems(step, at) {
    const asTask = step as unknown as TaskStep;
    yield* taskRules.problems!(asTask, at);
    for (const [field, { message, fix }] of Object.entries(refused))
      if (asTask[field as keyof typeof refused] !== undefined) yield { path: `${at}.${field}`, message, fix };
    if (JSON.stringify(step.outputs) !== JSON.stringify(serviceOutputs))
      yield {
        path: `${at}.outputs`,
        message: 'must be its host and nothing else: a service is stopped before it could give more',
      };
  },
  shape: 'box',
  caption: ({ name, task }) => (task === name ? 'service' : `service ${task}`),
  describe: ({ task }) => `service ${task}`,
};

const refused = {
  runAs: { message: 'is of no use to a service, which gives no result to keep', fix: "leave out runAs: 'Job'" },
  locks: {
    message:
      'cannot be had by a service: what depends on it might wait for them, and the service for what depends on it',
    fix: 'lock the steps that depend on it',
  },
  cache: { message: 'has no meaning: a service gives no result', fix: 'leave it out' },
  role: {
    message: 'cannot be given to a service, which is stopped before the steps at the end of a run begin',
    fix: 'start it in the container of the step that needs it',
  },
} as const;
