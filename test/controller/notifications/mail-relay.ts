import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail as a relay took it. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** With its headers. */
  readonly text: string;
}

/** A relay that takes mails by SMTP and keeps them. */
export class Relay {
  readonly mails: Mail[] = [];
  readonly #server: SMTPServer;
  readonly #listening: Promise<void>;

  private constructor(options: SMTPServerOptions) {
    this.#server = new SMTPServer({
      logger: false,
      authOptional: true,
      // Without a certificate of its own it would take one that everybody has.
      ...(options.key === undefined && { disabledCommands: ['STARTTLS'] }),
      onData: (stream, session, callback) => {
        const { mailFrom, rcptTo } = session.envelope;
        const keep = (all: string) => {
          const from = mailFrom === false ? '' : mailFrom.address;
          this.mails.push({ from, to: rcptTo.map(({ address }) => address), text: all });
          callback();
        };
        text(stream).then(keep, callback);
      },
      ...options,
    });
    // Who gives up on a certificate resets the connection.
    this.#server.on('error', () => undefined);
    this.#listening = new Promise((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve()));
  }

  static async start(options: SMTPServerOptions = {}): Promise<Relay> {
    const relay = new Relay(options);
    await relay.#listening;
    return relay;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
