import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LocalRunner } from '../../lib/local/local-runner.ts';
import { RecordFile } from '../../lib/local/record-file.ts';
import { RunDirectory } from '../../lib/local/run-directory.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { freePort } from '../cluster/ports.ts';
import { graphOf, hostOf, service } from '../engine/scenario.ts';
import { template, temporaryDirectory } from './fixtures.ts';

const graph = graphOf({ db: service, test: { inputs: { host: hostOf('db') } } });

/** Serves HTTP some time after its start, at a port that it writes down, and says so to a file as well. */
const server = (port: number) =>
  `exec ${process.execPath} -e 'setTimeout(() => require("http").createServer((q, a) => { a.statusCode = q.url === "/ready?now=1" ? 200 : 503; a.end("up") }).listen(${port}, "127.0.0.1", () => require("fs").writeFileSync("up", String(process.pid))), 400)'`;
const fetching = (port: number) =>
  `test "$INPUT_HOST" = 127.0.0.1 && exec ${process.execPath} -e 'fetch("http://127.0.0.1:${port}/").then(() => 0, () => process.exit(1))'`;

async function play(probeAt: (port: number) => JsonObject) {
  const port = await freePort();
  const readinessProbe = probeAt(port);
  using root = temporaryDirectory();
  const { directory } = RunDirectory.create(join(root.path, 'runs'), 'run');
  const ports = [{ name: 'web', containerPort: port }];
  const templates = {
    'db-template': template(server(port), { readinessProbe: { periodSeconds: 0.1, ...readinessProbe }, ports }),
    'test-template': template(fetching(port)),
  };
  const run = {
    name: 'run',
    graph,
    templates,
    configMaps: {},
    inputs: {},
    parallelism: 1,
    workingDirectory: root.path,
  };
  await new LocalRunner({ run, directory, env: process.env }).execute();
  const { steps } = RecordFile.read(directory)!;
  const upAt = join(root.path, 'up');
  return {
    ends: [...steps].map(([name, { phase, reason }]) => `${name} ${phase}/${reason}`),
    pid: existsSync(upAt) ? Number(readFileSync(upAt, 'utf8')) : undefined,
  };
}

const well = ['db Succeeded/ServiceStopped', 'test Succeeded/Completed'];

it.concurrent.each<[string, (port: number) => JsonObject]>([
  ['a port that somebody listens at', (port) => ({ tcpSocket: { port } })],
  ['an answer', () => ({ httpGet: { path: '/ready?now=1', port: 'web' } })],
  ['a command that succeeds', () => ({ exec: { command: ['test', '-e', 'up'] } })],
])('a service is ready by its probe, here %s, and is gone with the run', async (_, probeAt) => {
  const { ends, pid } = await play(probeAt);
  expect(ends.sort()).toEqual(well);
  expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
});

it.each([
  ['a kind that needs a cluster', { grpc: { port: 1 } }],
  ['a port that has no number', { tcpSocket: { port: 'none' } }],
])('a probe of %s is told', async (_, probe) => {
  const { ends } = await play(() => probe);
  expect(ends.sort()).toEqual(['db Failed/StartError', 'test Skipped/UpstreamFailed']);
});
