import type { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import type { JsonObject } from '../lib/values/json.ts';
import type { Problem } from '../lib/values/problems.ts';
import type { CallSite } from './call-site.ts';
import type { RunSettings } from './run-job.ts';

/** What a plan says of the Jobs that it makes. */
export interface PlannedRun {
  readonly plan: Construct & { readonly name: string };
  /** Name of the group that it is one of. */
  readonly group?: string;
  readonly settings: RunSettings;
  /** Those of a run that is launched without any. */
  readonly inputs: JsonObject;
  /** Annotations that the schedule and the inputs ask for. */
  readonly notes: Readonly<Record<string, string>>;
  /** Where the plan was written. */
  readonly site: CallSite;
}

/** The Job that the CronJob of a plan makes: a run of a workflow, or one task. */
export interface LaunchPlanJob {
  /** Labels of the project on the CronJob, as on the Jobs. */
  readonly labels: Readonly<Record<string, string>>;
  /** The names of inputs that no launch can change, besides those that the plan fixes. */
  readonly writtenInputs: Iterable<string>;
  /** Whether nobody can give an input at launch. */
  readonly needsAllInputs: boolean;
  /** `spec.jobTemplate`. */
  readonly template: object;
  /** Has it checked at synth with the CronJob around it, and its pods explained when that is asked for. */
  check(cronJob: ApiObject): void;
  problems(): Iterable<Problem>;
}
