import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attemptEnvironment,
  escapeExpansion,
  expandArgument,
  inputMarker,
  inputVariable,
  toKubernetesArgument,
} from '../../lib/values/environment.ts';

const dollars = fc.string({ unit: fc.constantFrom('$', '(', ')', 'A', 'b', ' ') });

describe('the environment contract', () => {
  it.each([
    ['site', 'INPUT_SITE'],
    ['modelUri', 'INPUT_MODEL_URI'],
    ['site-name', 'INPUT_SITE_NAME'],
    ['s3Bucket2', 'INPUT_S3_BUCKET2'],
  ])('the input %s is the variable %s', (input, variable) => expect(inputVariable(input)).toBe(variable));

  it('carries strings as they are and everything else as JSON', () => {
    const identity = { run: 'etl-1', step: 'extract', attempt: 2, outputsPath: '/out' };
    expect(attemptEnvironment(identity, { site: 'a b', rows: 3, ok: false, list: [1, 'x'], none: null })).toEqual({
      INPUT_SITE: 'a b',
      INPUT_ROWS: '3',
      INPUT_OK: 'false',
      INPUT_LIST: '[1,"x"]',
      INPUT_NONE: 'null',
      WORKFLOW_RUN: 'etl-1',
      WORKFLOW_STEP: 'extract',
      WORKFLOW_ATTEMPT: '2',
      WORKFLOW_OUTPUTS: '/out',
    });
  });

  it('gives every text of an author back unchanged after the expansion of the kubelet', () => {
    fc.assert(
      fc.property(dollars, (text) => {
        expect(expandArgument(escapeExpansion(text), { A: 'no', '': 'no' })).toBe(text);
      }),
    );
  });

  it('gives an input back as its value, wherever it stands in an argument', () => {
    fc.assert(
      fc.property(dollars, dollars, dollars, (before, value, after) => {
        const argument = toKubernetesArgument(`${before}${inputMarker('site')}${after}`);
        expect(expandArgument(argument, { INPUT_SITE: value })).toBe(`${before}${value}${after}`);
      }),
      // A dollar right before an input would escape it.
      { examples: [['$', 'x', '']] },
    );
  });

  it.each([
    ['$(A) $(B)', '1 $(B)'],
    ['$$(A)', '$(A)'],
    ['$A $', '$A $'],
    ['$(A', '$(A'],
    ['$$$(A)', '$1'],
  ])('expands %j as the kubelet does', (text, expanded) => expect(expandArgument(text, { A: '1' })).toBe(expanded));
});
