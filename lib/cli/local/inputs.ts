import { kickoffText } from '../../graph/kickoff.ts';
import type { PlanManifest } from '../../graph/bundle.ts';
import { mergeInputs, type GivenInputs } from '../../runs/run-inputs.ts';
import type { JsonObject } from '../../values/json.ts';
import { InvalidError } from '../../values/problems.ts';
import type { ObjectSchema } from '../../values/schema.ts';

/**
 * The inputs of a run on this machine: the plan's, over them those given; checked, with defaults filled in.
 *
 * @throws InvalidError with all that is wrong with them
 */
export function localInputs(
  workflow: string,
  schema: ObjectSchema,
  given: GivenInputs,
  plan: PlanManifest | undefined,
): JsonObject {
  const now = kickoffText(Date.now());
  const kickoff = Object.fromEntries((plan?.kickoffInputs ?? []).map((name) => [name, now]));
  const values = { ...kickoff, ...plan?.inputs };
  const checked = mergeInputs({ schema, values, fixed: plan?.fixedInputs ?? [] }, given);
  if (checked.ok) return checked.values;
  throw new InvalidError(
    `Inputs of ${plan === undefined ? `workflow ${workflow}` : `plan ${plan.name}`}`,
    checked.problems,
  );
}
