import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const OWN = [import.meta.dirname, `${dirname(import.meta.dirname)}/lib`].map((folder) => `${folder}/`);

/** Where in an author's code something was written. It costs next to nothing until somebody asks. */
export class CallSite {
  readonly #trace = new Error();

  /** `file:line` from the working directory, of the innermost call that is not in this package; nothing when there is none. */
  get text(): string | undefined {
    for (const line of this.#trace.stack?.split('\n').slice(1) ?? []) {
      const [, url, row] = /\(?((?:file:\/\/|\/)[^()]+):(\d+):\d+\)?$/.exec(line) ?? [];
      if (url === undefined) continue;
      const file = url.startsWith('file:') ? fileURLToPath(url) : url;
      if (file.includes('/node_modules/') || OWN.some((folder) => file.startsWith(folder))) continue;
      return `${relative(process.cwd(), file)}:${row}`;
    }
    return undefined;
  }
}
