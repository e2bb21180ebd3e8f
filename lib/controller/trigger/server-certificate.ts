import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from '../log.ts';

/** A certificate with its key, in PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** How often the files are read again, in milliseconds: a Secret is renewed long before its certificate ends. */
const REREAD_MS = 60_000;

/** The certificate of a server in two files, as a mounted Secret has them, which are replaced when it is renewed. */
export class ServerCertificate implements Disposable {
  readonly #files: CertificatePair;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #current: CertificatePair;
  #changed: ((pair: CertificatePair) => void) | undefined;

  private constructor(files: CertificatePair, current: CertificatePair, log: Logger) {
    this.#files = files;
    this.#current = current;
    this.#log = log;
    this.#timer = setInterval(() => void this.reread(), REREAD_MS).unref();
  }

  /**
   * @param files the paths of the certificate and of its key
   * @throws Error when they cannot be read, or do not belong together
   */
  static async read(files: CertificatePair, log: Logger): Promise<ServerCertificate> {
    return new ServerCertificate(files, await pairIn(files), log);
  }

  get current(): CertificatePair {
    return this.#current;
  }

  /** Tells of each later certificate. */
  onChange(changed: (pair: CertificatePair) => void): void {
    this.#changed = changed;
  }

  /** Reads the files again. What they have that is no certificate is not taken: both are not always written at once. */
  async reread(): Promise<void> {
    try {
      const pair = await pairIn(this.#files);
      if (pair.cert === this.#current.cert && pair.key === this.#current.key) return;
      this.#current = pair;
      this.#changed?.(pair);
      this.#log.info('The certificate of the trigger was renewed');
    } catch (error) {
      this.#log.warn('The certificate of the trigger cannot be read', { error });
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

async function pairIn(files: CertificatePair): Promise<CertificatePair> {
  const [cert, key] = await Promise.all([readFile(files.cert, 'utf8'), readFile(files.key, 'utf8')]);
  // Throws when one is not the other's.
  createSecureContext({ cert, key });
  return { cert, key };
}
