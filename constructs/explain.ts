import type { Construct } from 'constructs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { explain, EXPLAIN_DIRECTORY, EXPLAIN_PLAN, explanationFile } from '../lib/pods/explanation.ts';
import { namedReferences } from '../lib/pods/holes.ts';
import type { Layer } from '../lib/pods/layer.ts';
import { mergeWithOrigins } from '../lib/pods/merge.ts';
import { InvalidError } from '../lib/values/problems.ts';
import { clusterOf } from './cluster.ts';

/** A step's pod: the name of its PodTemplate, and its layers. */
export interface PodToExplain {
  readonly template: string;
  readonly layers: readonly Layer[];
}

/**
 * Has it written at synth where the fields of pods come from, for the command line to print. Nothing happens unless the
 * environment asks for it, for a plan by its name.
 */
export function explainAtSynth(scope: Construct, pods: () => Iterable<PodToExplain>, plan?: string): void {
  const directory = process.env[EXPLAIN_DIRECTORY];
  if (!directory || (plan !== undefined && plan !== process.env[EXPLAIN_PLAN])) return;
  // Validations are asked when the app is complete, and write no manifest.
  scope.node.addValidation({
    validate: () => {
      try {
        for (const { template, layers } of pods()) {
          const file = join(directory, explanationFile(clusterOf(scope)?.name, template, plan));
          mkdirSync(dirname(file), { recursive: true });
          writeFileSync(file, JSON.stringify(namedReferences(explain(mergeWithOrigins(layers)))));
        }
      } catch (error) {
        // Layers that make no pod are reported by whoever gave them.
        if (!(error instanceof InvalidError)) throw error;
      }
      return [];
    },
  });
}
