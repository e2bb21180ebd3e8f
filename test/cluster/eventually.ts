/**
 * Repeats `attempt` until it does not throw, and returns what it gave. For what a cluster does in its own time.
 *
 * @throws what the last attempt threw, after `timeoutMs`
 */
export async function eventually<T>(attempt: () => T | Promise<T>, timeoutMs = 20_000): Promise<T> {
  for (const end = Date.now() + timeoutMs; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
