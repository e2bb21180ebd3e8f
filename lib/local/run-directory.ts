import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inputVariable } from '../values/environment.ts';
import type { JsonObject } from '../values/json.ts';
import type { Graph } from '../graph/graph.ts';
import type { CacheMode } from '../graph/labels.ts';
import type { RunPolicy } from '../graph/run-policy.ts';
import type { RunLayers } from '../pods/runtime-template.ts';
import type { PodTemplate } from '../pods/template.ts';
import type { OtherRuns } from './child-run.ts';

/** All that a run on this machine is made of; kept beside its record, so that it goes on as it began whatever happens to the app. */
export interface LocalRun {
  readonly name: string;
  readonly graph: Graph;
  /** By the name that the graph has for them, as synth wrote them. */
  readonly templates: Readonly<Record<string, PodTemplate>>;
  /** The policies that hold over them, by the same names, as their annotations say them. @default none */
  readonly policies?: Readonly<Record<string, string>>;
  /** What the run changes of its pods. @default nothing */
  readonly layers?: RunLayers;
  /** The ConfigMaps that the templates take variables from, as far as they are part of the app. */
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Checked, defaults filled in. */
  readonly inputs: JsonObject;
  readonly parallelism: number;
  readonly timeoutSeconds?: number;
  /** How it uses kept results. @default it takes them, and keeps its own */
  readonly cache?: CacheMode;
  /** How it goes, as far as the plan or the command line says so. @default as the workflow says */
  readonly policy?: RunPolicy;
  /** What its steps may run that are runs of their own; their templates are among those above. @default nothing */
  readonly others?: OtherRuns;
  /** The runs that it is a step within, the outermost first. @default none */
  readonly within?: readonly string[];
  /** Where its steps run. */
  readonly workingDirectory: string;
}

/** What one run keeps on disk: `<root>/<run>/`, where `root` mostly is `.workflows/runs`. */
export class RunDirectory {
  readonly path: string;

  constructor(root: string, run: string) {
    this.path = join(root, run);
  }

  /** Makes the directory of a new run; when the name is taken, that of `<name>-2`, and so on. */
  static create(root: string, name: string): { readonly directory: RunDirectory; readonly name: string } {
    mkdirSync(root, { recursive: true });
    for (let suffix = 1; ; suffix++) {
      const candidate = suffix === 1 ? name : `${name}-${suffix}`;
      try {
        mkdirSync(join(root, candidate));
        return { directory: new RunDirectory(root, candidate), name: candidate };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  }

  /** The names of the runs that are kept, the newest last. */
  static names(root: string): string[] {
    try {
      return readdirSync(root, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort();
    } catch {
      return [];
    }
  }

  get recordFile(): string {
    return join(this.path, 'record.json');
  }

  /** @param tried of an item that is tried again within one attempt */
  logFile(step: string, attempt: number, tried = 1): string {
    return join(this.path, `${step}-${attempt}${tried > 1 ? `-try-${tried}` : ''}.log`);
  }

  /** Has the value of an input that an item finds in a file. */
  inputFile(step: string, attempt: number, input: string): string {
    return join(this.path, `${step}-${attempt}.${inputVariable(input)}`);
  }

  outputsFile(step: string, attempt: number): string {
    return join(this.path, `${step}-${attempt}.outputs`);
  }

  /** Holds the {@link ProcessIdentity} of an attempt, from the moment that it was started. */
  processFile(step: string, attempt: number): string {
    return join(this.path, `${step}-${attempt}.process.json`);
  }

  /** The directory of the run that an attempt is. */
  childRun(step: string, attempt: number): RunDirectory {
    const directory = new RunDirectory(this.path, `${step}-${attempt}`);
    mkdirSync(directory.path, { recursive: true });
    return directory;
  }

  writeRun(run: LocalRun): void {
    this.writeJson(join(this.path, 'run.json'), run);
  }

  /** The run that {@link writeRun} wrote; nothing when there is none. */
  readRun(): LocalRun | undefined {
    return this.readJson(join(this.path, 'run.json')) as LocalRun | undefined;
  }

  writeJson(file: string, value: unknown): void {
    this.replace(file, `${JSON.stringify(value, undefined, 2)}\n`);
  }

  readJson(file: string): unknown {
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      return undefined;
    }
  }

  /** Readers see the old text or the new one, never half of it. */
  replace(file: string, text: string): void {
    const temporary = `${file}.${process.pid}.tmp`;
    writeFileSync(temporary, text);
    renameSync(temporary, file);
  }

  remove(file: string): void {
    rmSync(file, { force: true });
  }
}
