import { describe, expect, it } from 'vitest';
import { answerText, readAnswer, readAnswers } from '../../lib/engine/answers.ts';
import { isAnswerable } from '../../lib/graph/gate-rules.ts';
import { topology } from '../../lib/graph/topology.ts';
import { formatProblem } from '../../lib/values/problems.ts';
import { gateSketch, graphOf, T0 } from './scenario.ts';

const outputs = { properties: { value: { type: 'integer' } }, required: ['value'] };
const graph = topology(
  graphOf({
    release: gateSketch({ waitsFor: 'approval' }),
    amount: gateSketch({ waitsFor: 'input' }, { outputs }),
    rest: gateSketch({ waitsFor: 'sleep', seconds: { value: 1 } }),
    constructor: gateSketch({ waitsFor: 'approval' }),
    load: {},
  }),
);
const approve = (step: string) => `cdk8s-workflows.dev/approve.${step}`;
const input = (step: string) => `cdk8s-workflows.dev/input.${step}`;

describe('what annotations say to gates', () => {
  it.each([
    ['true', { approved: true }],
    ['false', { approved: false }],
    ['{"approved":true}', { approved: true }],
    [
      '{"approved":true,"by":"jane","at":"2025-01-01T00:00:00Z","comment":"fine"}',
      { approved: true, by: 'jane', at: T0, comment: 'fine' },
    ],
    ['{"approved":false,"colour":"red"}', { approved: false }],
  ])('is for an approval %s', (text, answer) => {
    expect(readAnswers({ [approve('release')]: text }, graph)).toEqual({ answers: { release: answer }, problems: [] });
  });

  it('is for an input an object with a value', () => {
    const given = { [input('amount')]: '{"value":3,"by":"jane"}' };
    expect(readAnswers(given, graph).answers).toEqual({ amount: { value: 3, by: 'jane' } });
  });

  it('is for whatever name a step has, and other annotations are left alone', () => {
    const given = { [approve('constructor')]: 'true', 'cdk8s-workflows.dev/inputs': '{', approve: 'no' };
    expect(readAnswers(given, graph)).toEqual({ answers: { constructor: { approved: true } }, problems: [] });
    expect(readAnswers({}, graph)).toEqual({ answers: {}, problems: [] });
  });

  it.each([
    [approve('release'), 'yes', 'is "yes"; set it to true or false'],
    [approve('release'), '"true"', 'is "\\"true\\""; set it to true or false'],
    [approve('release'), '{"by":"jane"}', 'is "{\\"by\\":\\"jane\\"}"; set it to true or false'],
    [approve('release'), 'null', 'is "null"; set it to true or false'],
    [approve('release'), '{"approved":"yes"}', ': approved: must be boolean, but is "yes"'],
    [approve('release'), '{"approved":true,"by":7}', ': by: must be a string, not 7'],
    [
      approve('release'),
      '{"approved":true,"at":"noon"}',
      ': at: "noon" is no time; write it as 2026-01-31T18:00:00Z, with its zone',
    ],
    [input('amount'), '3', 'is "3"; set it to {"value": ...}'],
    [input('amount'), '{"value":"three"}', ': value: must be integer, but is "three"'],
    [input('amount'), '{"value"', 'is "{\\"value\\""; set it to {"value": ...}'],
    [approve('amount'), 'true', 'is for no step that waits for it'],
    [approve('rest'), 'true', 'is for no step that waits for it'],
    [approve('load'), 'true', 'is for no step that waits for it'],
    [approve('relaese'), 'true', `is for no step that waits for it; did you mean "${approve('release')}"?`],
  ])('is passed over where it makes no sense: %s = %s', (key, text, message) => {
    const { answers, problems } = readAnswers({ [key]: text }, graph);
    expect(answers).toEqual({});
    const said = problems.map(formatProblem);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(message.startsWith(':') ? `${key}${message}` : `${key}: ${message}`);
  });

  it('is what answerText writes', () => {
    const step = graph.byName.get('release')!.node;
    if (!isAnswerable(step)) throw new Error('it is');
    const answer = { approved: true, by: 'jane', at: T0, comment: 'fine' };
    expect(readAnswer(step, answerText(answer))).toEqual({ answer });
  });
});
