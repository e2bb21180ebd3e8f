/** Longest name of a step, so that `<run>-<step>-<attempt>` stays readable within a pod's name. */
export const MAX_STEP_NAME = 63;
