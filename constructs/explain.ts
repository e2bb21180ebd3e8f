import type { Construct } from 'constructs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  explain,
  EXPLAIN_DIRECTORY,
  EXPLAIN_OVERRIDE,
  EXPLAIN_PLAN,
  explanationFile,
  type Refusal,
} from '../lib/pods/explanation.ts';
import { namedReferences } from '../lib/pods/holes.ts';
import type { Layer } from '../lib/pods/layer.ts';
import { mergeWithOrigins } from '../lib/pods/merge.ts';
import { runOverrideLayers, type RunOverride } from '../lib/pods/run-override.ts';
import { layerProblems } from '../lib/pods/runtime-template.ts';
import { InvalidError } from '../lib/values/problems.ts';
import { clusterOf } from './cluster.ts';

/** A pod whose fields may be explained. */
export interface PodToExplain {
  /** The name of its PodTemplate, or what stands for it. */
  readonly file: string;
  /** By what name a launch changes it; left out when nothing launches it. */
  readonly step?: string;
  readonly layers: readonly Layer[];
}

/**
 * Has it written at synth where the fields of pods come from, for the command line to print. Nothing happens unless the
 * environment asks for it, for a plan by its name.
 */
export function explainAtSynth(scope: Construct, pods: () => Iterable<PodToExplain>, plan?: string): void {
  const { [EXPLAIN_DIRECTORY]: directory, [EXPLAIN_PLAN]: wanted, [EXPLAIN_OVERRIDE]: override } = process.env;
  if (!directory || (plan !== undefined && plan !== wanted)) return;
  const launch = override ? (JSON.parse(override) as RunOverride) : undefined;
  // Validations are asked when the app is complete, and write no manifest.
  scope.node.addValidation({
    validate: () => {
      try {
        for (const { file, step, layers } of pods()) {
          const changed = launch && step !== undefined ? runOverrideLayers(launch, step, '') : [];
          const all = [...layers, ...changed];
          // Nobody else knows of what the launch changes.
          const problems = changed.length > 0 ? layerProblems(all) : [];
          const refusal: Refusal = { problems };
          const explained = problems.length > 0 ? refusal : namedReferences(explain(mergeWithOrigins(all)));
          const path = join(directory, explanationFile(clusterOf(scope)?.name, file, plan));
          mkdirSync(dirname(path), { recursive: true });
          writeFileSync(path, JSON.stringify(explained));
        }
      } catch (error) {
        // Layers that make no pod are reported by whoever gave them.
        if (!(error instanceof InvalidError)) throw error;
      }
      return [];
    },
  });
}
