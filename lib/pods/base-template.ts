import { MAIN_CONTAINER, type PodTemplate } from './template.ts';

/** What every step's pod starts from: one container, run once. */
export const BASE_TEMPLATE: PodTemplate = { spec: { restartPolicy: 'Never', containers: [{ name: MAIN_CONTAINER }] } };
