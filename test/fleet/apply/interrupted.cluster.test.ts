import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { ApplyTrials } from './apply-trial.ts';
import type { Fault } from '../fault-proxy.ts';

let cluster: ControlPlane;
let trials: ApplyTrials;

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'interrupted', scheduler: false });
  trials = await ApplyTrials.start(cluster);
});

afterAll(async () => {
  await trials?.[Symbol.asyncDispose]();
  await cluster?.stop();
});

/** All of them are tried by `npm run check:apply`. */
describe('an apply that creates, changes and prunes 60 objects ends as if nothing had happened', () => {
  it.each([3, 18, 25, 50, 75, 92])('when it was killed after request %i, and applied again', async (number) => {
    expect(await trials.killedAt(number)).toEqual({ requests: expect.any(Number), killed: true, wrong: [] });
  });

  it.each<[Fault, number]>([
    ['lost', 5],
    ['reset', 5],
    [429, 5],
    [500, 30],
  ])('when the way to the API server was spoilt: %s', async (fault, every) => {
    expect(await trials.faulty(fault, every)).toMatchObject({ wrong: [] });
  });
});
