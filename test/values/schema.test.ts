import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Problem } from '../../lib/values/problems.ts';
import { checkValues, describeType, parseValue } from '../../lib/values/schema.ts';
import { toObjectSchema, type Shape } from '../../lib/values/shape.ts';

const schemaOf = (shape: Shape) => {
  const problems: Problem[] = [];
  const schema = toObjectSchema(shape, 'input', 'inputs', problems);
  expect(problems).toEqual([]);
  return schema;
};

describe('values against a schema', () => {
  const schema = schemaOf({
    site: z.string().min(2),
    rows: z.int().min(0).optional(),
    mode: z.enum(['fast', 'slow']).default('fast'),
    point: z.strictObject({ x: z.number() }).optional(),
  });

  it('are filled with defaults', () => {
    expect(checkValues(schema, { site: 'ab' }, 'refuse')).toEqual({ ok: true, values: { site: 'ab', mode: 'fast' } });
  });

  it('are refused with every problem, its path and value', () => {
    expect(
      checkValues(schema, { site: 'a', row: 1, rows: -1, mode: 'fats', point: { x: 'y', z: 1 } }, 'refuse', 'inputs'),
    ).toEqual({
      ok: false,
      problems: [
        { path: 'inputs.row', message: 'is not known', fix: 'did you mean "rows"?' },
        { path: 'inputs.site', message: 'must NOT have fewer than 2 characters, but is "a"' },
        { path: 'inputs.rows', message: 'must be >= 0, but is -1' },
        { path: 'inputs.mode', message: 'must be "fast" or "slow", but is "fats"' },
        { path: 'inputs.point', message: 'has the unknown field "z", but is {"x":"y","z":1}' },
        { path: 'inputs.point.x', message: 'must be number, but is "y"' },
      ],
    });
  });

  it('are told missing, with the type that is wanted', () => {
    expect(checkValues(schemaOf({ site: z.string(), list: z.array(z.int()) }), {}, 'refuse')).toMatchObject({
      problems: [
        { path: 'site', message: 'is missing', fix: 'give a value of type string' },
        { path: 'list', message: 'is missing', fix: 'give a value of type array of integer' },
      ],
    });
  });

  it('drop what was not declared when they are outputs', () => {
    expect(checkValues(schema, { site: 'ab', extra: 1 }, 'drop')).toEqual({
      ok: true,
      values: { site: 'ab', mode: 'fast' },
    });
  });

  it('do not take the names of Object.prototype for given or declared', () => {
    expect(checkValues(schemaOf({ constructor: z.string() } as Shape), {}, 'refuse')).toMatchObject({ ok: false });
    expect(checkValues(schema, { site: 'ab', toString: 'x' }, 'refuse')).toMatchObject({ ok: false });
  });
});

describe('text from a command line', () => {
  it.each<[z.ZodType, string, unknown]>([
    [z.string(), '3', '3'],
    [z.int(), '3', 3],
    [z.boolean(), 'true', true],
    [z.array(z.int()), '[1,2]', [1, 2]],
    [z.enum(['1', '2']), '1', '1'],
    [z.union([z.int(), z.string()]), '7', '7'],
    [z.int(), 'many', 'many'],
  ])('becomes what the schema asks for', (type, text, value) => {
    expect(parseValue(schemaOf({ value: type }).properties.value!, text)).toEqual(value);
  });
});

it.each<[z.ZodType, string]>([
  [z.array(z.string()), 'array of string'],
  [z.enum(['a', 'b']), '"a" | "b"'],
  [z.union([z.int(), z.null()]), 'integer | null'],
  [z.literal(3), '3'],
  [z.any(), 'any'],
])('a type is described in a word or two', (type, text) => {
  expect(describeType(schemaOf({ value: type }).properties.value!)).toBe(text);
});
