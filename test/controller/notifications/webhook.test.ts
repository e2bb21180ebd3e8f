import { afterEach, describe, expect, it } from 'vitest';
import { outcomeOf, Webhooks } from '../../../lib/controller/notifications/webhook.ts';
import { Receiver, type Answer } from './receiver.ts';

let receiver: Receiver | undefined;
let webhooks: Webhooks | undefined;

afterEach(async () => {
  await webhooks?.close();
  await receiver?.stop();
});

async function post(answer: Answer | undefined, path = '/hook', timeoutMs = 60_000, change = (url: string) => url) {
  receiver = await Receiver.start(answer);
  webhooks = new Webhooks({ env: {}, timeoutMs });
  const request = { url: change(receiver.url(path)), headers: { 'x-a': 'b' }, body: '{"text":"hello"}' };
  return webhooks.post(request, new AbortController().signal);
}

describe('a webhook', () => {
  it('is delivered when the receiver says so', async () => {
    expect(await post(undefined)).toEqual({ kind: 'delivered' });
    expect(receiver!.received).toMatchObject([{ path: '/hook', headers: { 'x-a': 'b' }, body: { text: 'hello' } }]);
  });

  it('follows no redirect', async () => {
    const outcome = await post((response) => void response.writeHead(307, { location: '/elsewhere' }).end());
    expect(outcome).toEqual({ kind: 'refused', why: 'HTTP 307: redirects are not followed' });
    expect(receiver!.received).toHaveLength(1);
  });

  it('waits only so long for an answer', async () => {
    expect(await post(() => {}, '/hook', 50)).toEqual({ kind: 'failed', why: 'no answer in time' });
  });

  it('is delivered though the answer does not end', async () => {
    expect(await post((response) => void response.write('a'))).toEqual({ kind: 'delivered' });
  });

  it('reads no more of an answer than it must', async () => {
    const huge = Buffer.alloc(1024 * 1024);
    let sent = 0;
    const outcome = await post((response) => {
      const more = () => {
        while (!response.destroyed && response.write(huge)) sent += 1;
      };
      response.on('drain', more);
      more();
    });
    expect(outcome).toEqual({ kind: 'delivered' });
    expect(sent).toBeLessThan(100);
  });

  it('turns credentials in its URL into a header', async () => {
    await post(undefined, '/hook', 60_000, (url) => url.replace('//', '//me:p%40ss@'));
    expect(receiver!.received[0]!.headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  });

  it('to nobody fails without its address', async () => {
    const closed = await Receiver.start();
    const url = closed.url('/secret-path');
    await closed.stop();
    webhooks = new Webhooks({ env: {} });
    const outcome = await webhooks.post({ url, headers: {}, body: '{}' }, new AbortController().signal);
    expect(outcome).toEqual({ kind: 'failed', why: 'no answer: ECONNREFUSED' });
  });

  it.each(['file:///etc/passwd', 'no url', 'ftp://a.test'])('to %j is none', async (url) => {
    webhooks = new Webhooks({ env: {} });
    await expect(webhooks.post({ url, headers: {}, body: '{}' }, new AbortController().signal)).rejects.toThrow(
      'its URL is no http: or https: URL',
    );
  });
});

describe('an answer', () => {
  const now = Date.UTC(2026, 0, 1);
  it.each([
    [200, undefined, { kind: 'delivered' }],
    [202, undefined, { kind: 'delivered' }],
    [400, undefined, { kind: 'refused', why: 'HTTP 400' }],
    [404, '5', { kind: 'refused', why: 'HTTP 404' }],
    [408, undefined, { kind: 'failed', why: 'HTTP 408' }],
    [429, '5', { kind: 'failed', why: 'HTTP 429', afterMs: 5000 }],
    [503, 'Thu, 01 Jan 2026 00:01:00 GMT', { kind: 'failed', why: 'HTTP 503', afterMs: 60_000 }],
    [503, 'Wed, 31 Dec 2025 00:01:00 GMT', { kind: 'failed', why: 'HTTP 503', afterMs: 0 }],
    [503, '99999999', { kind: 'failed', why: 'HTTP 503', afterMs: 3_600_000 }],
    [500, 'soon', { kind: 'failed', why: 'HTTP 500' }],
  ])('of %i with Retry-After %j', (status, after, expected) => {
    expect(outcomeOf(status, after, now)).toEqual(expected);
  });
});
