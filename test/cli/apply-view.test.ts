import { expect, it } from 'vitest';
import { applyReport, type AppliedTarget } from '../../lib/cli/cluster/apply/apply-view.ts';
import { LiveBlock } from '../../lib/cli/terminal/live-block.ts';
import { phaseStyle } from '../../lib/cli/terminal/phases.ts';
import { Output } from '../../lib/cli/terminal/output.ts';

const plain = new Output({ write: () => undefined }, {}).colors;
const phases = phaseStyle(plain, {});
const lost = { message: 'Cannot apply: no answer from https://b.' };

const test: AppliedTarget = {
  cluster: 'test',
  context: 'kind-test',
  directory: 'dist/test',
  objects: [
    { kind: 'ServiceAccount', namespace: 'etl', name: 'runner', outcome: 'unchanged' },
    { kind: 'ConfigMap', namespace: 'etl', name: 'etl-4k2f9x1b0c', outcome: 'created' },
    {
      kind: 'CronJob',
      namespace: 'etl',
      name: 'etl-site-a',
      outcome: 'failed',
      source: 'dist/test/etl.k8s.yaml',
      failure: { message: '.spec.schedule is set by "kubectl-edit"', fix: 'leave it' },
    },
    { kind: 'CronJob', namespace: 'etl', name: 'etl-site-b', outcome: 'skipped' },
  ],
};

it('reports what changed, every error with its object, and a line for each cluster', () => {
  const away: AppliedTarget = { cluster: 'prod', context: 'prod', directory: 'dist/prod', objects: [], failure: lost };
  expect(applyReport([test, away], plain, phases, false))
    .toBe(`CLUSTER   KIND        NAMESPACE   NAME             RESULT
test      ConfigMap   etl         etl-4k2f9x1b0c   created
test      CronJob     etl         etl-site-a       failed
test      CronJob     etl         etl-site-b       skipped

error: test: CronJob etl/etl-site-a (dist/test/etl.k8s.yaml): .spec.schedule is set by "kubectl-edit"; leave it
error: prod: Cannot apply: no answer from https://b.

✗ test: 1 created, 1 unchanged, 1 failed, 1 skipped; what was skipped is in order and is written once the errors are mended
✗ prod: nothing was applied
`);
});

it('is one line when nothing changed', () => {
  const same: AppliedTarget = { context: 'kind', directory: 'dist', objects: [test.objects[0]!] };
  expect(applyReport([same], plain, phases, true)).toBe('✓ kind: 1 unchanged (dry run, nothing was written)\n');
});

it('says once why many objects failed when the cluster went away', () => {
  const objects = ['a', 'b', 'c'].map((name) => ({
    kind: 'ConfigMap',
    name,
    outcome: 'failed' as const,
    failure: lost,
  }));
  expect(applyReport([{ context: 'kind', directory: 'dist', objects }], plain, phases, false)).toContain(
    'error: kind: ConfigMap a and 2 more: Cannot apply: no answer from https://b.\n',
  );
});

it('draws a block in place on a terminal only, and counts the lines that do not fit', () => {
  const drawn = (terminal: boolean): string => {
    let text = '';
    const block = new LiveBlock(new Output({ write: (part) => (text += part), isTTY: terminal, rows: 4 }, {}));
    block.draw(['a', 'b']);
    block.draw(['a', 'b', 'c', 'd']);
    block.clear();
    return text;
  };
  expect(drawn(false)).toBe('');
  expect(drawn(true)).toBe(
    '\x1b[?7la\x1b[K\nb\x1b[K\n\x1b[0J\x1b[?7h' +
      '\x1b[?7l\x1b[2A\ra\x1b[K\nb\x1b[K\n… 2 more\x1b[K\n\x1b[0J\x1b[?7h' +
      '\x1b[3A\r\x1b[0J',
  );
});
