import { attemptEnvironment, escapeExpansion } from '../values/environment.ts';
import type { Json } from '../values/json.ts';
import { MAIN_CONTAINER, OUTPUTS_PATH, type PodTemplate } from './template.ts';

/** Which attempt a pod is made for. */
export interface AttemptName {
  readonly run: string;
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** @default none */
  readonly artifacts?: string | undefined;
}

/**
 * A step's template with the environment contract of one attempt in its main container. Our variables come
 * first, so that the author's own may refer to them as `$(INPUT_SITE)`; an author's variable of the same name wins.
 */
export function attemptTemplate(
  template: PodTemplate,
  name: AttemptName,
  inputs: Readonly<Record<string, Json>>,
): PodTemplate {
  const environment = attemptEnvironment({ ...name, outputsPath: OUTPUTS_PATH }, inputs);
  const containers = template.spec?.containers.map((container) => {
    if (container.name !== MAIN_CONTAINER) return container;
    const own = new Set(container.env?.map((variable) => variable.name));
    const ours = Object.entries(environment).filter(([variable]) => !own.has(variable));
    return {
      ...container,
      env: [
        ...ours.map(([variable, value]) => ({ name: variable, value: escapeExpansion(value) })),
        ...(container.env ?? []),
      ],
    };
  });
  return { ...template, spec: { ...template.spec, containers: containers ?? [] } };
}
