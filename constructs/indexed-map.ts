import type { IndexedMapStep, TaskStep } from '../lib/graph/graph.ts';
import { itemVariableProblems } from '../lib/pods/indexed-template.ts';
import { fileVariable } from '../lib/values/environment.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import { references } from './sources.ts';
import type { DecidedUse } from './task-use.ts';

/** What the graph carries of a step that runs a task, as a map that is one Indexed Job has it. */
export function indexedFields(fields: Omit<TaskStep, 'kind'>): Omit<IndexedMapStep, 'over'> {
  const { retries, attemptTimeoutSeconds, spot: _, runSpot: __, locks: ___, cache: ____, ...rest } = fields;
  return {
    ...rest,
    kind: 'indexedMap',
    runAs: 'Job',
    ...(retries && { itemRetries: retries }),
    ...(attemptTimeoutSeconds !== undefined && { itemTimeoutSeconds: attemptTimeoutSeconds }),
  };
}

const OR = "or leave out runAs: 'IndexedJob'";

/**
 * What is said of single items that an Indexed Job cannot do; what is said of retries is looked at with the graph.
 *
 * @param inputs those whose values differ by item
 */
export function* indexedProblems(use: DecidedUse, inputs: readonly string[]): Generator<Problem> {
  const { execution, template, runAs, hasSpot, hasLocks, holes } = use;
  if (runAs !== undefined)
    yield {
      path: 'runAs',
      message: `is ${show(runAs)}, and all items are one Indexed Job`,
      fix: `leave it out, ${OR}`,
    };
  if (execution.cache)
    yield {
      path: 'cache',
      message: 'cannot be asked for single items of an Indexed Job',
      fix: `set it to false, ${OR}`,
    };
  if (hasLocks)
    yield {
      path: 'locks',
      message: 'cannot be taken by single items of an Indexed Job',
      fix: `set concurrency, ${OR}`,
    };
  if (hasSpot)
    yield {
      path: 'spot',
      message: 'sends the last attempt of an item elsewhere, and all items of an Indexed Job have one pod template',
      fix: `set spot: false and choose the nodes by nodeSelector and tolerations, ${OR}`,
    };
  for (const [path, hole] of holes)
    for (const { origin } of references(hole))
      if ('item' in origin)
        yield {
          path,
          message: `takes its value from inputs.${origin.item}, and all items of an Indexed Job have one pod template`,
          fix: `read the file "$${fileVariable(origin.item)}" in the container, ${OR}`,
        };
  for (const problem of itemVariableProblems(template, inputs))
    yield { ...problem, path: `podTemplate.${problem.path}` };
}
