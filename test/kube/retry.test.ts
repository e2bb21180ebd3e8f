import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConnectionError, KubeError } from '../../lib/kube/errors.ts';
import { backoffDelay, defaultRetryPolicy, retryDelay, withRetries } from '../../lib/kube/retry.ts';
import { HastyClock } from './manual-clock.ts';

const subject = { verb: 'get', object: 'Pod default/a' };

function answer(code: number, retryAfterSeconds?: number): KubeError {
  return new KubeError({ kind: 'Status', code, reason: 'Some' }, subject, { retryAfterSeconds });
}

function noAnswer(code: string): ConnectionError {
  return new ConnectionError('https://k:6443', subject, Object.assign(new Error('it broke'), { code }));
}

describe('retryDelay', () => {
  const again = true;
  const never = false;
  test.each([
    // What failed; again if the request is repeatable; again if not.
    ['429', answer(429), again, again],
    ['429 with Retry-After', answer(429, 1), again, again],
    ['500', answer(500), never, never],
    ['500 with Retry-After', answer(500, 1), again, again],
    ['502', answer(502), again, never],
    ['503', answer(503), again, never],
    ['503 with Retry-After', answer(503, 1), again, again],
    ['504', answer(504), again, never],
    ['404', answer(404), never, never],
    ['409', answer(409), never, never],
    ['409 with Retry-After', answer(409, 1), never, never],
    ['refused', noAnswer('ECONNREFUSED'), again, again],
    ['no route', noAnswer('EHOSTUNREACH'), again, again],
    ['no connection in time', noAnswer('UND_ERR_CONNECT_TIMEOUT'), again, again],
    ['reset', noAnswer('ECONNRESET'), again, never],
    ['closed by the other side', noAnswer('UND_ERR_SOCKET'), again, never],
    ['no answer in time', noAnswer('UND_ERR_HEADERS_TIMEOUT'), again, never],
    ['unknown host', noAnswer('ENOTFOUND'), never, never],
    ['unknown authority', noAnswer('SELF_SIGNED_CERT_IN_CHAIN'), never, never],
    ['another error', new TypeError('a mistake'), never, never],
  ])('%s: repeatable %#', (_, error, ifRepeatable, ifNot) => {
    const delay = (repeatable: boolean): number | undefined =>
      retryDelay(error, 1, 0, repeatable, defaultRetryPolicy, 0.5);
    expect(delay(true) !== undefined).toBe(ifRepeatable);
    expect(delay(false) !== undefined).toBe(ifNot);
  });

  test('waits as long as the server asks, and a little more', () => {
    expect(retryDelay(answer(429, 7), 1, 0, false, defaultRetryPolicy, 0)).toBe(7000);
    expect(retryDelay(answer(429, 7), 1, 0, false, defaultRetryPolicy, 0.999)).toBeLessThan(7700);
  });

  test('gives up after the last try, and when the wait would end too late', () => {
    expect(retryDelay(answer(429), defaultRetryPolicy.attempts, 0, true, defaultRetryPolicy, 0)).toBeUndefined();
    expect(retryDelay(answer(429, 31), 1, 0, true, defaultRetryPolicy, 0)).toBeUndefined();
    expect(retryDelay(answer(429, 3), 1, 28_000, true, defaultRetryPolicy, 0)).toBeUndefined();
  });

  test('delays stay within their step and their limit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const delay = backoffDelay(defaultRetryPolicy, attempt, random);
          const step = Math.min(defaultRetryPolicy.maxDelayMs, defaultRetryPolicy.baseDelayMs * 2 ** (attempt - 1));
          return delay >= step / 2 && delay <= step;
        },
      ),
    );
  });
});

describe('withRetries', () => {
  test('tries until it works, with longer and longer waits', async () => {
    const clock = new HastyClock();
    const request = (attempt: number): Promise<string> =>
      attempt < 4 ? Promise.reject(noAnswer('ECONNREFUSED')) : Promise.resolve(`after ${attempt}`);
    const environment = { clock, random: () => 1 };
    await expect(withRetries(request, { repeatable: false, environment })).resolves.toBe('after 4');
    expect(clock.slept).toEqual([100, 200, 400]);
  });

  test('throws the last error', async () => {
    const environment = { clock: new HastyClock(), random: () => 0 };
    const request = (attempt: number): Promise<never> => Promise.reject(answer(503, attempt));
    await expect(withRetries(request, { repeatable: false, environment })).rejects.toMatchObject({
      retryAfterSeconds: defaultRetryPolicy.attempts,
    });
  });

  test('rejects with the reason of the signal, whatever the request failed of', async () => {
    const abort = new AbortController();
    const request = (): Promise<never> => {
      abort.abort('enough');
      return Promise.reject(answer(429));
    };
    await expect(withRetries(request, { repeatable: true, signal: abort.signal })).rejects.toBe('enough');
  });

  test('wakes at once when aborted while waiting', async () => {
    const abort = new AbortController();
    const request = (): Promise<never> => Promise.reject(answer(429, 20));
    const result = withRetries(request, { repeatable: true, signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 5);
    await expect(result).rejects.toThrow('enough');
  });
});
