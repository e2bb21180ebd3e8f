/** Runs something that ends in good order when the process is asked to end; a second request ends it at once. */
export async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const end = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => end.abort(new DOMException(`received ${signal}`, 'AbortError'));
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);
  try {
    return await work(end.signal);
  } finally {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  }
}
