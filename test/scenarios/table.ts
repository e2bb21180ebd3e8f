import { edges } from './edges.ts';
import { endings } from './endings.ts';
import { failures } from './failures.ts';
import { gates } from './gates.ts';
import { maps } from './maps.ts';
import type { Scenario } from './scenario.ts';
import { services } from './services.ts';

/** Every scenario; each must end in the same way on this machine and on a cluster. */
export const scenarios: readonly Scenario[] = [...edges, ...failures, ...endings, ...maps, ...gates, ...services];
