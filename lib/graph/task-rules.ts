import { cacheProblems, isCachePolicy } from './cache.ts';
import type { TaskStep } from './graph.ts';
import { isLocks, lockProblems, lockSources } from './locks.ts';
import { jobSources, podSources } from './pod-sources.ts';
import { isRetryPolicy, retryProblems } from './retries.ts';
import { isBoolean, isJobSource, isNumber, isPodSource, isSource, isSources, isString, misfits } from './shapes.ts';
import { replaceAll, type StepRules } from './step-kinds.ts';

/** What the graph must know of a step that runs a container. */
export const taskRules: StepRules<TaskStep> = {
  *sources({ inputs, pod, job, locks, cache }) {
    for (const [name, source] of Object.entries(inputs)) yield [`inputs.${name}`, source];
    if (pod !== undefined) for (const [place, source] of podSources(pod)) yield [`pod.${place}`, source];
    if (job !== undefined) for (const [place, source] of jobSources(job)) yield [`job.${place}`, source];
    yield* lockSources(locks);
    if (cache?.content !== undefined) yield ['cache.content', cache.content];
  },
  replace: (step, by) => ({
    ...step,
    inputs: replaceAll(step.inputs, by),
    ...(step.pod && { pod: by.source(step.pod) }),
    ...(step.spot && { spot: by.source(step.spot) }),
    ...(step.job && { job: by.source(step.job) }),
    ...(step.cache?.content && { cache: { ...step.cache, content: by.source(step.cache.content) } }),
    ...(step.locks && { locks: step.locks.map((lock) => ({ ...lock, key: by.source(lock.key) })) }),
  }),
  misfits: (step) =>
    misfits(step, {
      task: ['a string', isString],
      template: ['a string', isString],
      inputs: ['an object of value sources', isSources],
      pod: ['an object of value sources', isPodSource, 'optional'],
      spot: ['a value source', isSource, 'optional'],
      job: ['part of a Job', isJobSource, 'optional'],
      runSpot: ['true or false', isBoolean, 'optional'],
      retries: ['a retry policy', isRetryPolicy, 'optional'],
      pendingTimeoutSeconds: ['a number', isNumber, 'optional'],
      attemptTimeoutSeconds: ['a number', isNumber, 'optional'],
      systemRetries: ['a number', isNumber, 'optional'],
      locks: ['a list of locks', isLocks, 'optional'],
      cache: ['a cache policy', isCachePolicy, 'optional'],
    }),
  *problems(step, at) {
    yield* retryProblems(step, at);
    yield* lockProblems(step.locks, at);
    yield* cacheProblems(step, at);
  },
  shape: 'box',
  caption: ({ name, task }) => (task === name ? undefined : task),
  describe: ({ task }) => `task ${task}`,
};
