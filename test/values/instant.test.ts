import { expect, it } from 'vitest';
import { instantIn } from '../../lib/values/instant.ts';

it.each([
  ['2026-03-01T06:00:00Z', '2026-03-01T06:00:00.000Z'],
  ['2026-03-01T06:00+01:00', '2026-03-01T05:00:00.000Z'],
  ['2026-03-01T06:00:00.250-0130', '2026-03-01T07:30:00.250Z'],
  ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
])('%s is an instant', (text, utc) => {
  expect(new Date(instantIn(text)!).toISOString()).toBe(utc);
});

it.each([
  '2026-03-01T06:00:00',
  '2026-03-01',
  '2026-02-29T00:00:00Z',
  '2026-03-01T25:00:00Z',
  '2026-03-01 06:00Z',
  'Mar 1 2026 00:00 +0100',
  '',
  1,
  undefined,
])('%o is none', (text) => {
  expect(instantIn(text)).toBeUndefined();
});
