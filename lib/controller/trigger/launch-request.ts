import type { IncomingHttpHeaders } from 'node:http';
import { MAX_KEY } from '../../runs/launch-settings.ts';
import { fullHash } from '../../values/hash.ts';
import { isJsonObject, type JsonObject } from '../../values/json.ts';
import { show, type Problem } from '../../values/problems.ts';
import { binaryEvent, isBinaryEvent, isJsonType, STRUCTURED, structuredEvent } from './cloud-event.ts';
import { Refusal } from './problem-answer.ts';

/** The plan that a path names. */
export interface PlanPath {
  readonly namespace: string;
  readonly plan: string;
}

/** What the body and the headers of a request ask for. */
export interface TriggeredLaunch {
  readonly inputs: JsonObject;
  /** How a problem names the place of an input. */
  readonly at: (input: string) => string;
  readonly idempotencyKey?: string;
}

const PATH = /^\/v1\/namespaces\/([a-z0-9-]{1,63})\/plans\/([a-z0-9-]{1,63})\/runs$/;

/**
 * Reads `POST /v1/namespaces/<namespace>/plans/<plan>/runs`.
 *
 * @throws Refusal for anything else
 */
export function planPath(method: string | undefined, url: string): PlanPath {
  const [, namespace, plan] = PATH.exec(url.split('?')[0]!) ?? [];
  if (namespace === undefined || plan === undefined)
    throw new Refusal(404, 'there is POST /v1/namespaces/<namespace>/plans/<plan>/runs');
  if (method !== 'POST')
    throw new Refusal(405, `a run is launched by POST, not ${method}`, { headers: { allow: 'POST' } });
  return { namespace, plan };
}

/**
 * Reads the inputs: the JSON object of the body, or the data of a CloudEvent, in structured or binary mode. Without a body there are none.
 *
 * @throws Refusal with everything that is wrong
 */
export function launchOf(headers: IncomingHttpHeaders, body: Buffer): TriggeredLaunch {
  const type = headers['content-type'] ?? (body.length === 0 ? 'application/json' : undefined);
  const bare = type?.split(';')[0]!.trim().toLowerCase();
  const structured = bare === STRUCTURED;
  // Such as a batch of events, which would be a run for each.
  const other = !structured && bare?.startsWith('application/cloudevents');
  if (other || !isJsonType(type))
    throw new Refusal(415, `the body must be application/json or ${STRUCTURED}, not ${show(type ?? 'of no type')}`);
  const content = body.length === 0 ? undefined : json(body);
  if (!structured && !isBinaryEvent(headers)) {
    const key = headerKey(headers);
    return { ...inputsIn(content, 'inputs'), ...(key !== undefined && { idempotencyKey: key }) };
  }
  const event = structured ? structuredEvent(content) : binaryEvent(headers, content);
  if (!('source' in event)) throw malformed('the CloudEvent is not valid', event);
  if (headers['idempotency-key'] !== undefined)
    throw malformed('an event has its own key', [
      {
        path: 'Idempotency-Key',
        message: 'is given beside an event, whose source and id are the key',
        fix: 'leave it out',
      },
    ]);
  return { ...inputsIn(event.data, 'data'), idempotencyKey: eventKey(event.source, event.id) };
}

/** One key for an event, also for names that are longer than a key may be. */
function eventKey(source: string, id: string): string {
  const key = `event ${JSON.stringify([source, id])}`;
  return key.length <= MAX_KEY ? key : `event ${fullHash([source, id])}`;
}

/** The value, which the draft of the header writes as a quoted string and many send bare. (draft-ietf-httpapi-idempotency-key-header) */
function headerKey(headers: IncomingHttpHeaders): string | undefined {
  const given = headers['idempotency-key'];
  if (given === undefined) return undefined;
  const text = String(given);
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (key.length > 0 && key.length <= MAX_KEY) return key;
  throw malformed('the Idempotency-Key is not valid', [
    { path: 'Idempotency-Key', message: `must have 1 to ${MAX_KEY} characters, not ${key.length}` },
  ]);
}

function inputsIn(value: unknown, path: string): Pick<TriggeredLaunch, 'inputs' | 'at'> {
  if (value !== undefined && !isJsonObject(value))
    throw malformed('the inputs are not valid', [
      { path, message: `must be a JSON object of inputs by name, not ${show(value)}` },
    ]);
  return { inputs: value ?? {}, at: (input) => `${path}.${input}` };
}

function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch (cause) {
    throw new Refusal(400, 'the body is not JSON', { cause });
  }
}

function malformed(detail: string, problems: readonly Problem[]): Refusal {
  return new Refusal(400, detail, { problems });
}
