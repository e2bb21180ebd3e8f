import { expect, it } from 'vitest';
import { compareSchedules } from './schedules/compare.ts';

// `npm run check:schedules` does the same for 500 expressions.
it('reckons next times as the Go parser that Kubernetes uses', async () => {
  const { times, acrossChanges, refused, differences } = await compareSchedules(60, 20_260_101);
  expect(differences).toEqual([]);
  expect([times > 10_000, acrossChanges > 200, refused > 100]).toEqual([true, true, true]);
});
