import type { KubeClient } from './client.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';
import type { SelectOptions } from './verbs.ts';

/** The objects of a collection, read page by page, so that never more than a page of them is in memory. */
export async function* eachObject<T extends KubeObject>(
  client: Pick<KubeClient, 'list'>,
  of: Resource,
  { limit = 500, ...options }: SelectOptions & { /** Objects on a page. @default 500 */ readonly limit?: number } = {},
): AsyncGenerator<T> {
  let token: string | undefined;
  do {
    const page = await client.list<T>(of, { ...options, limit, ...(token !== undefined && { continue: token }) });
    yield* page.items;
    token = page.metadata.continue || undefined;
  } while (token !== undefined);
}
