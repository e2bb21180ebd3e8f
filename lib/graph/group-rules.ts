import type { BeginStep, GroupStep } from './graph.ts';
import { isSources, isString, isStrings, misfits } from './shapes.ts';
import { replaceAll, type StepRules } from './step-kinds.ts';

/** What the graph must know of where a workflow begins that is part of another. */
export const beginRules: StepRules<BeginStep> = {
  *sources({ inputs }) {
    for (const [name, source] of Object.entries(inputs)) yield [`inputs.${name}`, source];
  },
  replace: (step, by) => ({ ...step, inputs: replaceAll(step.inputs, by) }),
  misfits: (step) =>
    misfits(step, { workflow: ['a string', isString], inputs: ['an object of value sources', isSources] }),
  shape: 'pill',
  caption: ({ workflow }) => `${workflow} begins`,
  describe: ({ workflow }) => `workflow ${workflow} begins`,
};

/** What the graph must know of the step that stands for a workflow within another. */
export const groupRules: StepRules<GroupStep> = {
  // Not one of them is needed: the group ends as its steps do, and gives what there is.
  *sources({ values }) {
    for (const [name, source] of Object.entries(values)) yield [`values.${name}`, { first: [source], default: null }];
  },
  replace: ({ begin, ...step }, by) => ({
    ...step,
    ...(begin !== undefined && { begin: by.step(begin) }),
    steps: step.steps.map((name) => by.step(name)),
    values: replaceAll(step.values, by),
  }),
  misfits: (step) =>
    misfits(step, {
      workflow: ['a string', isString],
      begin: ['a string', isString, 'optional'],
      steps: ['a list of step names', isStrings],
      values: ['an object of value sources', isSources],
    }),
  shape: 'pill',
  caption: ({ workflow }) => `${workflow} ends`,
  describe: ({ workflow, steps }) => `workflow ${workflow}: ${steps.length} steps`,
};
