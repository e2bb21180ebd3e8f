import type { KubeObject, WatchEvent } from './objects.ts';

const newline = 0x0a;

/**
 * Cuts the bytes of a watch into events, however the network cut them. A line ends with a newline byte, which occurs
 * in no multi-byte character and, escaped, in no JSON string; so only whole lines are ever decoded.
 */
export class WatchDecoder<T extends KubeObject> {
  #pending: Uint8Array[] = [];

  /**
   * The events that this chunk completes.
   *
   * @throws SyntaxError for a line that is no JSON
   */
  push(chunk: Uint8Array): WatchEvent<T>[] {
    const end = chunk.lastIndexOf(newline);
    if (end < 0) {
      this.#pending.push(chunk);
      return [];
    }
    const whole = chunk.subarray(0, end);
    const bytes = this.#pending.length > 0 ? Buffer.concat([...this.#pending, whole]) : whole;
    this.#pending = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
    return textOf(bytes)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as WatchEvent<T>);
  }
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
}

/** The events of a watch, in the portions in which they came. What the stream's end cut off is dropped. */
export async function* watchEvents<T extends KubeObject>(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<WatchEvent<T>[], void, undefined> {
  const decoder = new WatchDecoder<T>();
  for await (const chunk of chunks) {
    const events = decoder.push(chunk);
    if (events.length > 0) yield events;
  }
}
