import { describe, expect, it } from 'vitest';
import { readPodLog } from '../../lib/cli/cluster/runs/pod-log.ts';
import { ConnectionError, KubeError } from '../../lib/kube/errors.ts';
import type { LogOptions } from '../../lib/kube/verbs.ts';
import type { RunPod } from '../../lib/runs/run-objects.ts';

type State = 'waiting' | 'running' | 'terminated';

function podIn(state: State): RunPod {
  const status = { containerStatuses: [{ name: 'main', state: { [state]: {} } }] };
  const metadata = { name: 'run-a-1', namespace: 'n', uid: 'u' };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'main' }] }, status };
}

const subject = { verb: 'read the log of', object: 'pod n/run-a-1' };
const broken = (): ConnectionError =>
  new ConnectionError('https://server', subject, Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
const refusal = (code: number, reason: string): KubeError =>
  new KubeError({ kind: 'Status', code, reason, message: reason }, subject);

/** A server that gives these streams one after the other, each text ended by what comes after it. */
function server(streams: readonly (readonly [text: string, end: Error | undefined, after: State | Error])[]) {
  const asked: (string | undefined)[] = [];
  let at = -1;
  return {
    asked,
    log: (_namespace: string, _pod: string, { sinceTime }: LogOptions = {}) => {
      at++;
      asked.push(sinceTime);
      const [text, end] = streams[at]!;
      if (end instanceof KubeError) return Promise.reject(end);
      return Promise.resolve(
        (async function* () {
          yield Buffer.from(text);
          await Promise.resolve();
          if (end) throw end;
        })(),
      );
    },
    get: () => {
      const after = streams[at]![2];
      return after instanceof Error ? Promise.reject(after) : Promise.resolve(podIn(after) as never);
    },
  };
}

async function read(client: ReturnType<typeof server>, state: State, follow = true) {
  const lines: string[] = [];
  const clock = { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() };
  const onLine = (line: string): void => void lines.push(line);
  const options = { follow, signal: new AbortController().signal, onLine, clock };
  return { end: await readPodLog(client, podIn(state), options), lines };
}

const time = (second: number): string => `2026-03-01T10:00:0${second}.000000000Z`;

describe('following the log of a pod', () => {
  it('goes on after a broken stream from the last second, without repeating a line or printing half of one', async () => {
    const client = server([
      [`${time(1)} one\n${time(4)} two\n${time(5)} thr`, broken(), 'running'],
      [`${time(4)} two\n${time(5)} three\n`, undefined, 'terminated'],
      [`${time(4)} two\n${time(5)} three\n${time(5)} four`, undefined, 'terminated'],
    ]);
    expect(await read(client, 'running')).toEqual({
      end: 'read',
      lines: [`${time(1)} one`, `${time(4)} two`, `${time(5)} three`, `${time(5)} four`],
    });
    expect(client.asked).toEqual([undefined, '2026-03-01T10:00:03Z', '2026-03-01T10:00:04Z']);
  });

  it('waits for a container that has not started', async () => {
    const client = server([
      ['', refusal(400, 'BadRequest'), 'waiting'],
      ['', refusal(400, 'BadRequest'), 'running'],
      [`${time(1)} one\n`, undefined, 'terminated'],
      [`${time(1)} one\n`, undefined, 'terminated'],
    ]);
    expect(await read(client, 'waiting')).toEqual({ end: 'read', lines: [`${time(1)} one`] });
  });

  it('says that a pod ended without starting, or is gone', async () => {
    const evicted = server([
      ['', refusal(400, 'BadRequest'), 'terminated'],
      ['', refusal(400, 'BadRequest'), 'terminated'],
    ]);
    expect((await read(evicted, 'waiting')).end).toBe('not-started');
    const notFound = refusal(404, 'NotFound');
    expect((await read(server([['', notFound, notFound]]), 'running')).end).toBe('gone');
    expect((await read(server([['', notFound, 'terminated']]), 'terminated')).end).toBe('gone');
    expect((await read(server([['', broken(), refusal(404, 'NotFound')]]), 'running')).end).toBe('gone');
  });

  it('waits for a kubelet that does not know the pod yet', async () => {
    const streams = [
      ['', refusal(404, 'NotFound'), 'waiting'],
      [`${time(1)} one\n`, undefined, 'terminated'],
      [`${time(1)} one\n`, undefined, 'terminated'],
    ] as const;
    expect(await read(server(streams), 'waiting')).toEqual({ end: 'read', lines: [`${time(1)} one`] });
  });

  it('passes on an error that does not go away', async () => {
    const denied = server([['', refusal(403, 'Forbidden'), 'running']]);
    await expect(read(denied, 'running')).rejects.toThrow('Forbidden');
    const streams = Array.from({ length: 40 }, () => ['', broken(), 'running'] as const);
    await expect(read(server(streams), 'running')).rejects.toThrow('The connection broke');
  });
});

describe('reading without following', () => {
  it('reads once, and does not wait for a container', async () => {
    expect(await read(server([[`${time(1)} one`, undefined, 'running']]), 'running', false)).toEqual({
      end: 'read',
      lines: [`${time(1)} one`],
    });
    expect((await read(server([['', refusal(400, 'BadRequest'), 'waiting']]), 'waiting', false)).end).toBe(
      'not-started',
    );
  });
});
