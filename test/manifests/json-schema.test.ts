import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import generated from '../../lib/manifests/kinds.gen.json' with { type: 'json' };
import { structType } from '../../lib/manifests/kinds.ts';
import { scalarMisfit } from '../../lib/manifests/scalars.ts';
import type { FieldType, Scalar } from '../../lib/manifests/type-expression.ts';
import { validateManifest } from '../../lib/manifests/validate.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { arbitraryStruct } from './arbitrary.ts';

// The same types as JSON Schema, for a validator that shares no code with ours but the check of a single scalar.
function schemaOf(type: FieldType): object {
  if (type.is === 'scalar') return { scalar: type.scalar };
  if (type.is === 'struct') return { $ref: `#/$defs/${type.name.replace(':', '_')}` };
  return type.is === 'list'
    ? { type: 'array', items: schemaOf(type.of) }
    : { type: 'object', additionalProperties: schemaOf(type.of) };
}

const definitions = Object.keys(generated.types).map((name) => {
  const { fields, required } = structType(name);
  const properties = Object.fromEntries([...fields].map(([field, type]) => [field, schemaOf(type)]));
  return [name.replace(':', '_'), { type: 'object', properties, required, additionalProperties: false }];
});

it('says of generated manifests of every kind what a JSON Schema validator says', () => {
  const ajv = new Ajv2020({ strict: false, logger: false });
  ajv.addKeyword({
    keyword: 'scalar',
    validate: (scalar: Scalar, value: unknown) => scalarMisfit(scalar, value) === undefined,
  });
  ajv.addSchema({ $id: 'kubernetes', $defs: Object.fromEntries(definitions) });
  let refused = 0;
  let taken = 0;
  for (const [apiVersion, kinds] of Object.entries(generated.kinds as Record<string, Record<string, string>>))
    for (const [kind, name] of Object.entries(kinds)) {
      const validate = ajv.compile({ $ref: `kubernetes#/$defs/${name.replace(':', '_')}` });
      const manifests = arbitraryStruct(name, { values: 2, fields: 2 }, 0, ['apiVersion', 'kind']).map(
        (rest): JsonObject => ({ ...rest, apiVersion, kind }),
      );
      fc.assert(
        fc.property(manifests, (manifest) => {
          const fits = validate(manifest);
          expect(validateManifest(manifest).length === 0, JSON.stringify(manifest)).toBe(fits);
          if (fits) taken++;
          else refused++;
        }),
        { numRuns: 30 },
      );
    }
  expect(Math.min(refused, taken)).toBeGreaterThan(200);
});
