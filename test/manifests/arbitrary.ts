import * as fc from 'fast-check';
import { structType } from '../../lib/manifests/kinds.ts';
import type { FieldType, Scalar } from '../../lib/manifests/type-expression.ts';
import type { Json, JsonObject } from '../../lib/values/json.ts';

/** How often something is put in that does not belong there, of 100. */
export interface Faults {
  readonly values: number;
  readonly fields: number;
}

const good: Readonly<Record<Scalar, fc.Arbitrary<Json>>> = {
  any: fc.constant({}),
  string: fc.constantFrom('', 'x', 'acme.dev/x', '3', 'true'),
  bool: fc.boolean(),
  int32: fc.constantFrom(0, -1, 80, 2 ** 31 - 1, -(2 ** 31)),
  int64: fc.constantFrom(0, -1, 80, 2 ** 31, Number.MAX_SAFE_INTEGER),
  double: fc.constantFrom(0, 1.5, -2),
  bytes: fc.constantFrom('', 'YQ==', 'YWI=', 'YWJj', 'YWJj\nYWJj'),
  quantity: fc.constantFrom<Json>(
    '1',
    '500m',
    '8Gi',
    '1.5',
    '.5',
    '1.',
    '1e3',
    '1E-3',
    '+2k',
    '-1n',
    '3u',
    1,
    0.5,
    ' 1 ',
  ),
  intOrString: fc.constantFrom<Json>('web', '50%', '', 80, 2 ** 31 - 1),
  time: fc.constantFrom('2026-01-31T06:00:00Z', '2024-02-29T06:00:00.5+02:00'),
  microTime: fc.constantFrom('2026-01-31T06:00:00.000000Z', '2026-01-31T06:00:00.123456-07:00'),
};

const bad: fc.Arbitrary<Json> = fc.constantFrom<Json>(
  ...['x', '', '3', 'true', 'YQ=', 'Y Q=', '8 GB', '1Zi', '1e', '--1', '2026-01-31', '2026-02-30T06:00:00.000000Z'],
  ...['2026-01-31T06:00:00.00Z', '2026-01-31T24:00:00Z', 3, 1.5, 2 ** 31, -(2 ** 31) - 1, true, {}, []],
);

// Go takes an empty list for no bytes.
const badBytes = bad.filter((value) => !Array.isArray(value));

/** A value of a type, with some that do not fit; it has no `null`, which Go reads as nothing. */
export function arbitraryValue(type: FieldType, faults: Faults, depth = 0): fc.Arbitrary<Json> {
  const fitting = (): fc.Arbitrary<Json> => {
    if (type.is === 'scalar') return good[type.scalar];
    if (type.is === 'struct') return arbitraryStruct(type.name, faults, depth + 1);
    const inner = arbitraryValue(type.of, faults, depth + 1);
    return type.is === 'list'
      ? fc.array(inner, { maxLength: 2 })
      : fc.dictionary(fc.constantFrom('a', 'b.c', 'd/e'), inner, { maxKeys: 2 });
  };
  // What can be anything for us is not quite so in a CustomResourceDefinition: a schema or true, a schema or a list.
  if (type.is === 'scalar' && type.scalar === 'any') return good.any;
  const isBytes = type.is === 'scalar' && type.scalar === 'bytes';
  return fc.oneof(
    { arbitrary: fitting(), weight: 100 - faults.values },
    { arbitrary: isBytes ? badBytes : bad, weight: faults.values },
  );
}

/** An object of a type with a few of its fields; a status is not looked into and not made. */
export function arbitraryStruct(
  name: string,
  faults: Faults,
  depth = 0,
  except: readonly string[] = [],
): fc.Arbitrary<JsonObject> {
  const fields = [...structType(name).fields].filter(([field]) => field !== 'status' && !except.includes(field));
  if (fields.length === 0 || depth > 7) return fc.constant({});
  const some = fc.subarray(fields, { maxLength: Math.min(fields.length, depth < 3 ? 4 : 2) });
  const extra = fc.oneof(
    { arbitrary: fc.constant<JsonObject>({}), weight: 100 - faults.fields },
    { arbitrary: fc.constantFrom<JsonObject>({ xyzzy: 1 }, { Name: 'x' }, { '': {} }), weight: faults.fields },
  );
  return fc
    .tuple(some, extra)
    .chain(([chosen, more]) =>
      fc
        .tuple(
          ...chosen.map(([field, type]) => arbitraryValue(type, faults, depth).map((value) => [field, value] as const)),
        )
        .map((entries) => ({ ...Object.fromEntries(entries), ...more }) as JsonObject),
    );
}
