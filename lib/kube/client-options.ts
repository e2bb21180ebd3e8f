import type { CredentialEnvironment } from './credentials.ts';
import type { RetryEnvironment, RetryPolicy } from './retry.ts';

/** How a client behaves. */
export interface ClientOptions {
  /** @default the context's, else 'default' */
  readonly namespace?: string;
  /** Its part before the slash becomes the field manager of plain writes. @default 'cdk8s-workflows' */
  readonly userAgent?: string;
  /** Limit of each try, in milliseconds. @default 30000 */
  readonly timeoutMs?: number;
  /** @default {@link defaultRetryPolicy} */
  readonly retry?: Partial<RetryPolicy>;
  /** Connections for requests; watches and logs have their own. @default 32 */
  readonly connections?: number;
  /** Called with each warning of the API server, such as the use of a deprecated version. */
  readonly onWarning?: (warning: string) => void;
  /** Clock and randomness of the retries. @default the machine's */
  readonly environment?: RetryEnvironment;
  /** Where credentials come from. @default this process' environment and files */
  readonly credentials?: CredentialEnvironment;
}

/** Which cluster a client talks to. */
export interface KubeconfigOptions extends ClientOptions {
  /** Path of the one file to read. @default the files of `$KUBECONFIG`, else `~/.kube/config`, else the pod's service account */
  readonly kubeconfig?: string;
  /** @default the current context */
  readonly context?: string;
}
