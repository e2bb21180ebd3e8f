import { STATUS_CODES } from 'node:http';
import type { Problem } from '../../values/problems.ts';

/** What becomes of a request that is not done, besides its status. */
export interface RefusalDetails {
  /** Everything that is wrong, each with its path. */
  readonly problems?: readonly Problem[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** Ends the handling of a request with an answer that says why it is not done. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly problems: readonly Problem[];
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail a sentence for whoever sent the request; nothing of how this program works */
  constructor(status: number, detail: string, { problems = [], headers = {}, cause }: RefusalDetails = {}) {
    super(detail, { cause });
    this.status = status;
    this.problems = problems;
    this.headers = headers;
  }
}

/** The media type of {@link problemDetails}. */
export const PROBLEM_TYPE = 'application/problem+json';

/** The body of an answer to a request that was not done. (RFC 9457: Problem Details for HTTP APIs) */
export function problemDetails({ status, message, problems }: Refusal): object {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    ...(problems.length > 0 && { errors: problems }),
  };
}
