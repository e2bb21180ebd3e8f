import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubeObject, WatchEvent } from '../../lib/kube/objects.ts';
import { WatchDecoder, watchEvents } from '../../lib/kube/watch-stream.ts';

const eventArbitrary = fc.record({
  type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED'),
  object: fc.record({
    apiVersion: fc.constant('v1'),
    kind: fc.constant('ConfigMap'),
    metadata: fc.record({ name: fc.string({ unit: 'binary' }), resourceVersion: fc.nat().map(String) }),
    data: fc.dictionary(fc.string(), fc.string({ unit: 'binary' })),
  }),
}) as fc.Arbitrary<WatchEvent>;

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.slice(at[index], end));
}

describe('WatchDecoder', () => {
  test('gives the same events however the stream is cut, within characters too', () => {
    fc.assert(
      fc.property(
        fc.array(eventArbitrary, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (events, places) => {
          const bytes = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
          const decoder = new WatchDecoder<KubeObject>();
          const got = cut(bytes, places).flatMap((chunk) => decoder.push(chunk));
          expect(got).toEqual(JSON.parse(JSON.stringify(events)));
        },
      ),
    );
  });

  test('keeps a line that is not yet whole to itself', () => {
    const decoder = new WatchDecoder<KubeObject>();
    expect(decoder.push(Buffer.from('{"type":"BOOK'))).toEqual([]);
    expect(decoder.push(Buffer.from('MARK","object":{}}'))).toEqual([]);
    expect(decoder.push(Buffer.from('\n\n'))).toEqual([{ type: 'BOOKMARK', object: {} }]);
  });

  test('throws for a line that is no JSON', () => {
    expect(() => new WatchDecoder().push(Buffer.from('<html>\n'))).toThrow(SyntaxError);
  });

  test('drops what the end of the stream cut off', async () => {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"type":"ADDED","object":{}}\n{"type":"ADD');
    }
    const batches = [];
    for await (const batch of watchEvents(chunks())) batches.push(batch);
    expect(batches).toEqual([[{ type: 'ADDED', object: {} }]]);
  });
});
