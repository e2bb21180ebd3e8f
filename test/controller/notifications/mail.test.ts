import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { SMTPServerOptions } from 'smtp-server';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sendMail } from '../../../lib/controller/notifications/mail.ts';
import type { Notice } from '../../../lib/controller/notifications/notice.ts';
import type { MailRelay } from '../../../lib/graph/notifications.ts';
import { makeCertificates } from '../../cluster/certificates.ts';
import { Relay } from './mail-relay.ts';

const trusted = getCACertificates('default');
let directory: string;
let ca: string;
let server: { readonly cert: string; readonly key: string };
let relay: Relay | undefined;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mail-'));
  const made = await makeCertificates(directory, ['localhost']);
  const read = (file: string) => readFileSync(file, 'utf8');
  ca = read(made.caFile);
  server = { cert: read(made.server.certFile), key: read(made.server.keyFile) };
});

afterEach(async () => {
  setDefaultCACertificates(trusted);
  await relay?.stop();
  relay = undefined;
});

afterAll(() => rmSync(directory, { recursive: true }));

const notice: Notice = {
  id: 'u-1.failed',
  notification: 'team',
  event: 'failed',
  at: Date.UTC(2026, 0, 1),
  fields: { run: 'etl-1', event: 'failed', message: 'the first line\nBcc: all@acme.test' },
  template: 'Run {run} failed: {message}',
};

async function send(options: SMTPServerOptions, how: Partial<MailRelay> = {}, subject?: string) {
  relay = await Relay.start(options);
  const to = ['data@acme.test', 'Boss <boss@acme.test>'];
  const mail = { kind: 'email', from: 'Jobs <jobs@acme.test>', to, ...(subject && { subject }) } as const;
  const through: MailRelay = { host: 'localhost', port: relay.port, tls: 'none', ...how };
  const valueOf = async (value: unknown) => (typeof value === 'string' ? value : 's3cret');
  return sendMail({ ...mail, relay: through }, notice, valueOf, new AbortController().signal);
}

const login = { user: 'jobs', password: { secret: 'alerts', key: 'smtp' } };

/** A relay that lets one in, and says who tried. */
function guarded(tried: string[]): SMTPServerOptions {
  return {
    authOptional: false,
    onAuth: ({ username, password }, _, callback) => {
      tried.push(`${username}:${password}`);
      if (password === 's3cret') callback(null, { user: username });
      else callback(new Error('no'));
    },
  };
}

describe('a mail', () => {
  it('says what is to be told to all who are named, with an id that stays', async () => {
    expect(await send({})).toEqual({ kind: 'delivered' });
    const [mail] = relay!.mails;
    expect(mail).toMatchObject({ from: 'jobs@acme.test', to: ['data@acme.test', 'boss@acme.test'] });
    expect(mail!.text).toContain('Subject: Run etl-1: failed\r\n');
    expect(mail!.text).toContain('Message-ID: <u-1.failed.team@cdk8s-workflows.dev>\r\n');
    expect(mail!.text).toContain('From: Jobs <jobs@acme.test>\r\n');
    expect(mail!.text).toMatch(/\r\n\r\nRun etl-1 failed: the first line\r\nBcc: all@acme\.test\r\n/);
  });

  it('has a subject of one line, whatever a run says', async () => {
    await send({}, {}, '{message}');
    expect(relay!.mails[0]!.text).toContain('Subject: the first line Bcc: all@acme.test\r\n');
    expect(relay!.mails[0]!.to).toHaveLength(2);
  });

  it.each(['starttls', 'implicit'] as const)('goes by %s with a login to a relay that is trusted', async (tls) => {
    setDefaultCACertificates([...trusted, ca]);
    const tried: string[] = [];
    const options = { ...guarded(tried), ...server, secure: tls === 'implicit' };
    expect(await send(options, { tls, login })).toEqual({ kind: 'delivered' });
    expect(tried).toEqual(['jobs:s3cret']);
    expect(relay!.mails).toHaveLength(1);
  });

  it.each(['starttls', 'implicit'] as const)('says nothing by %s to a relay that nobody vouches for', async (tls) => {
    const tried: string[] = [];
    const outcome = await send({ ...guarded(tried), ...server, secure: tls === 'implicit' }, { tls, login });
    expect(outcome).toMatchObject({ kind: 'failed', why: expect.stringMatching(/^no mail was taken: E/) });
    expect(tried).toEqual([]);
  });

  it('says nothing to a relay that does not encrypt although it should', async () => {
    const tried: string[] = [];
    const outcome = await send(guarded(tried), { tls: 'starttls', login });
    expect(outcome.kind).not.toBe('delivered');
    expect(tried).toEqual([]);
  });

  it.each([
    [550, { kind: 'refused', why: 'SMTP 550' }],
    [451, { kind: 'failed', why: 'SMTP 451' }],
  ])('that is answered with %i', async (responseCode, expected) => {
    const answer = Object.assign(new Error('a text of the relay'), { responseCode });
    expect(await send({ onRcptTo: (_, __, callback) => callback(answer) })).toEqual(expected);
  });

  it('with a login that is refused may go better when it is mended', async () => {
    setDefaultCACertificates([...trusted, ca]);
    const options: SMTPServerOptions = {
      ...server,
      authOptional: false,
      onAuth: (_, __, callback) => callback(Object.assign(new Error('no'), { responseCode: 535 })),
    };
    expect(await send(options, { tls: 'starttls', login })).toEqual({ kind: 'failed', why: 'SMTP 535' });
  });
});
