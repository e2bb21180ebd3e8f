import { describe, expect, it } from 'vitest';
import { annotations } from '../../lib/graph/labels.ts';
import { takenOverNote, takenOverThrough } from '../../lib/graph/taken-over.ts';

const spec = (schedule: string, timeZone?: string) => ({ schedule, jobTemplate: {}, ...(timeZone && { timeZone }) });
const daily = spec('0 6 * * *', 'Etc/UTC');
const noted = (note: string, of = daily) =>
  takenOverThrough({ metadata: { annotations: { [annotations.takenOver]: note } }, spec: of });

describe('up to when the times of a plan are dealt with that took over from another cluster', () => {
  const through = '2026-01-01T06:00:00Z';

  it('is the time that was handed over, as long as its schedule is the same', () => {
    const note = takenOverNote({ spec: daily }, through);
    expect(noted(note)).toBe(Date.parse(through));
    expect(noted(note, spec('0 7 * * *', 'Etc/UTC'))).toBeUndefined();
    expect(noted(note, spec('0 6 * * *', 'Europe/Berlin'))).toBeUndefined();
    expect(noted(note, spec('0 6 * * *'))).toBeUndefined();
  });

  it.each(['', '{', '[]', 'null', '{"through":"2026-01-01T06:00:00Z"}', takenOverNote({ spec: daily }, 'yesterday')])(
    'is not known from %j',
    (note) => {
      expect(noted(note)).toBeUndefined();
    },
  );

  it('is not known of a plan that took over from none', () => {
    expect(takenOverThrough({ metadata: {}, spec: daily })).toBeUndefined();
  });
});
