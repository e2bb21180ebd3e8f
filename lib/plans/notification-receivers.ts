import { templateProblems } from '../graph/notice-text.ts';
import { mailTls, noticeFields, type NoticeField, type NotificationTo } from '../graph/notifications.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import { checkValue, describeType, type ObjectSchema } from '../values/schema.ts';

type Webhook = Extract<NotificationTo, { readonly kind: 'slack' | 'cloudEvents' }>;
type Mail = Extract<NotificationTo, { readonly kind: 'email' }>;
type Launch = Extract<NotificationTo, { readonly kind: 'launch' }>;

/** (RFC 9110, section 5.6.2: token) */
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const OURS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'host',
  'idempotency-key',
  'transfer-encoding',
  'user-agent',
]);

/** What is wrong with a receiver that gets a POST for each event. */
export function* webhookProblems(to: Webhook): Generator<Problem> {
  if (typeof to.url === 'string' && !/^https?:$/.test(parsed(to.url)?.protocol ?? ''))
    yield { path: 'to.url', message: `${show(to.url)} is no http: or https: URL` };
  for (const name of Object.keys(headersOf(to))) {
    const path = `to.headers.${name}`;
    if (!HEADER.test(name)) yield { path, message: 'is no name of a header' };
    else if (OURS.has(name.toLowerCase())) yield { path, message: 'is set by the controller', fix: 'leave it out' };
  }
}

/** What of it is likely a secret and is not kept as one. */
export function* webhookWarnings(to: Webhook): Generator<Problem> {
  const fix = 'put it into a Secret and give { secret, key }';
  if (typeof to.url === 'string' && hasToken(to.url))
    yield { path: 'to.url', message: 'looks as if it has a token, and everybody can read it who may read Jobs', fix };
  for (const [name, value] of Object.entries(headersOf(to)))
    if (typeof value === 'string' && /auth|token|key|secret|cookie|signature/i.test(name))
      yield { path: `to.headers.${name}`, message: 'can be read by everybody who may read Jobs', fix };
}

function headersOf(to: Webhook) {
  return (to.kind === 'cloudEvents' && to.headers) || {};
}

/** Credentials, a parameter with the name of one, or a part of a path that nobody would make up: long, with letters and digits. */
function hasToken(text: string): boolean {
  const url = parsed(text);
  if (url === undefined) return false;
  const named = [...url.searchParams.keys()].some((name) => /token|key|secret|sig|auth|password/i.test(name));
  const parts = url.pathname.split('/');
  return url.username !== '' || named || parts.some((part) => /^(?=.*\d)(?=.*[A-Za-z])[\w-]{20,}$/.test(part));
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** One address, with or without a name before it. What else RFC 5322 allows nobody uses here. */
const ADDRESS = /^(?:[^<>@,;"\r\n]+ <[^\s@<>,;"]+@[^\s@<>,;"]+>|[^\s@<>,;"]+@[^\s@<>,;"]+)$/;

/** What is wrong with a mail and the relay that it goes through. */
export function* mailProblems({ relay, from, to, subject }: Omit<Mail, 'kind'>): Generator<Problem> {
  const { host, port, tls, login } = relay;
  if (!/^[A-Za-z0-9]([-.:A-Za-z0-9]*[A-Za-z0-9])?$/.test(host))
    yield { path: 'to.relay.host', message: `${show(host)} is no host`, fix: 'give its name or address alone' };
  if (!(Number.isInteger(port) && port >= 1 && port <= 65_535))
    yield { path: 'to.relay.port', message: `must be a whole number from 1 to 65535, not ${show(port)}` };
  if (!mailTls.includes(tls)) yield { path: 'to.relay.tls', message: `is ${show(tls)}`, fix: suggest(tls, mailTls) };
  if (tls === 'none' && login !== undefined)
    yield { path: 'to.relay.login', message: 'would send the password for all to read', fix: 'use TLS' };
  if (to.length === 0) yield { path: 'to.to', message: 'is empty: nobody would get it', fix: 'name an address' };
  for (const [path, address] of [['to.from', from], ...to.map((each, index) => [`to.to[${index}]`, each])] as const)
    if (!ADDRESS.test(address!)) yield { path: path!, message: `${show(address)} is no address` };
  if (subject !== undefined) yield* templateProblems(subject, 'to.subject');
}

/** What a plan takes that a notification launches. */
export interface LaunchedPlan {
  readonly name: string;
  readonly inputSchema: ObjectSchema;
  readonly fixedInputs: readonly string[];
  /** Inputs that it has values for. @default all that are required */
  readonly filledInputs?: readonly string[];
}

/** What is wrong with the inputs of a run that a notification launches. */
export function* launchProblems(plan: LaunchedPlan, inputs: Launch['inputs']): Generator<Problem> {
  const { properties, required } = plan.inputSchema;
  const name = show(plan.name);
  for (const [input, given] of Object.entries(inputs)) {
    const path = `to.inputs.${input}`;
    const schema = Object.hasOwn(properties, input) ? properties[input] : undefined;
    if (schema === undefined)
      yield { path, message: `launch plan ${name} has no such input`, fix: suggest(input, Object.keys(properties)) };
    else if (plan.fixedInputs.includes(input))
      yield { path, message: `is fixed by launch plan ${name}`, fix: 'leave it out' };
    else if ('value' in given) yield* checkValue(schema, given.value, path);
    else if (!noticeFields.includes(given.field))
      yield { path, message: `${show(given.field)} is no field`, fix: suggest(given.field, noticeFields) };
    else if (!takes(schema.type, given.field))
      yield { path, message: `is the field ${given.field}, and the input must be ${describeType(schema)}` };
  }
  const filled = new Set([...Object.keys(inputs), ...(plan.filledInputs ?? required)]);
  for (const input of required)
    if (!filled.has(input))
      yield { path: `to.inputs.${input}`, message: 'is missing', fix: `launch plan ${name} needs it` };
}

/** A schema without a type, or with several, is for the launch to judge. */
function takes(type: unknown, field: NoticeField): boolean {
  if (typeof type !== 'string' || type === 'string') return true;
  return field === 'failures' && (type === 'number' || type === 'integer');
}
