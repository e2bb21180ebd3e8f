import { z } from 'zod';
import type { Json } from './json.ts';
import type { Problem } from './problems.ts';
import type { JsonSchema, ObjectSchema } from './schema.ts';

/** The names and zod schemas of a task's or workflow's inputs or outputs. */
export type Shape = Readonly<Record<string, z.ZodType>>;

/** A shape without names. */
export type NoValues = Readonly<Record<never, never>>;

/** The values one gives for a shape: what has a default may be left out. */
export type ValuesIn<S extends Shape> = z.input<z.ZodObject<S>>;

/** The values one gets for a shape. */
export type ValuesOut<S extends Shape> = z.output<z.ZodObject<S>>;

/**
 * A shape as JSON Schema. `io: 'input'` describes what may be given (defaults are optional), `'output'` what must
 * be there. A schema that JSON cannot carry (a date, a function, a transform) is a problem at its path.
 */
export function toObjectSchema(shape: Shape, io: 'input' | 'output', path: string, problems: Problem[]): ObjectSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const [name, schema] of Object.entries(shape)) {
    try {
      const { $schema: _, ...json } = z.toJSONSchema(schema, { io }) as Record<string, Json>;
      properties[name] = json;
      if (!schema.isOptional()) required.push(name);
    } catch (error) {
      properties[name] = {};
      const fix = 'use a type that JSON has: strings, numbers, booleans, lists and objects of them';
      problems.push({ path: `${path}.${name}`, message: (error as Error).message, fix });
    }
  }
  return { properties, required };
}
