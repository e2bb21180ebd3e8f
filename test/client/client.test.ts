import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { WorkflowsClient, WorkflowsError } from 'cdk8s-workflows/client';
import { expect, it } from 'vitest';
import { Feed } from '../../lib/client/feed.ts';

it('loads neither cdk8s nor constructs, and no package before it connects', () => {
  const hook = `import { registerHooks } from 'node:module'; const urls = []; registerHooks({ load(url, context, next) { urls.push(url); return next(url, context); } }); process.on('exit', () => console.log(urls.join('\\n')));`;
  const { stdout } = spawnSync(
    process.execPath,
    [
      '--conditions=source',
      `--import=data:text/javascript,${encodeURIComponent(hook)}`,
      '--input-type=module',
      '--eval=import "cdk8s-workflows/client"',
    ],
    { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' },
  );
  const urls = stdout.split('\n').filter((url) => url.startsWith('file:'));
  expect(urls.some((url) => url.endsWith('/lib/client/index.ts'))).toBe(true);
  expect(urls.filter((url) => /node_modules|\/constructs\/|\/lib\/cli\//.test(url))).toEqual([]);
});

it('says what is wrong with its own settings', async () => {
  await expect(WorkflowsClient.connect({ name: 'No Name' })).rejects.toMatchObject({
    reason: 'Invalid',
    problems: [{ path: 'name' }],
  });
  const missing = WorkflowsClient.connect({ kubeconfig: '/does/not/exist' });
  await expect(missing).rejects.toBeInstanceOf(WorkflowsError);
});

it('a feed gives what was put in before it fails, in order', async () => {
  const feed = new Feed<number>();
  feed.put(1);
  const read: number[] = [];
  const reading = (async () => {
    for await (const item of feed) read.push(item);
  })();
  await Promise.resolve();
  feed.put(2);
  feed.put(3);
  feed.fail(new Error('over'));
  await expect(reading).rejects.toThrow('over');
  expect(read).toEqual([1, 2, 3]);
});
