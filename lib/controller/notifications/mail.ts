import { DOMAIN } from '../../graph/labels.ts';
import type { NotificationTo, TextOrSecret } from '../../graph/notifications.ts';
import { orAbort } from '../../kube/clock.ts';
import { delivered, type Outcome } from './delivery.ts';
import { noticeSubject, noticeText, type Notice } from './notice.ts';

type Mail = Extract<NotificationTo, { readonly kind: 'email' }>;

/** For each part of the exchange, in milliseconds. */
const TIMEOUT_MS = 10_000;

/** For all of it, also of a relay that answers letter by letter. */
const LONGEST_MS = 60_000;

/**
 * Gives a mail to a relay. Each try has the same `Message-ID`, by which many receivers drop repeats.
 *
 * @throws DeliveryError when the login cannot be read
 */
export async function sendMail(
  { relay, from, to, subject }: Mail,
  notice: Notice,
  valueOf: (text: TextOrSecret) => Promise<string>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { host, port, tls, login } = relay;
  const auth = login && { user: await valueOf(login.user), pass: await valueOf(login.password) };
  // It is loaded when somebody wants to send one.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(auth && { auth }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    dnsTimeout: TIMEOUT_MS,
    // A text is a text, and no file of the controller.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const limit = AbortSignal.timeout(LONGEST_MS);
  try {
    const sent = transport.sendMail({
      from,
      to: [...to],
      subject: noticeSubject(notice, subject),
      text: noticeText(notice),
      messageId: `<${notice.id}.${notice.notification}@${DOMAIN}>`,
      date: new Date(notice.at),
    });
    await orAbort(sent, AbortSignal.any([signal, limit]));
    return delivered;
  } catch (error) {
    signal.throwIfAborted();
    return limit.aborted ? { kind: 'failed', why: 'no answer in time' } : failureOf(error as SmtpError);
  } finally {
    transport.close();
  }
}

interface SmtpError {
  readonly code?: string;
  readonly responseCode?: number;
}

/** A refusal of the mail stays one (RFC 5321, section 4.2.1); one of the login may be mended, like all that is no answer. */
function failureOf({ code = 'the connection failed', responseCode }: SmtpError): Outcome {
  if (responseCode === undefined) return { kind: 'failed', why: `no mail was taken: ${code}` };
  const why = `SMTP ${responseCode}`;
  return responseCode >= 500 && code !== 'EAUTH' ? { kind: 'refused', why } : { kind: 'failed', why };
}
