import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject } from '../../values/json.ts';
import { show, type Problem } from '../../values/problems.ts';

/** What is taken of an event: its data, and what tells it from all others. */
export interface CloudEvent {
  readonly source: string;
  readonly id: string;
  /** Left out when it has none. */
  readonly data?: unknown;
}

/** The attributes that every event has. (CloudEvents 1.0: Required Attributes) */
const REQUIRED = ['specversion', 'id', 'source', 'type'] as const;

/** The media type of an event as one JSON document. (CloudEvents JSON format 1.0) */
export const STRUCTURED = 'application/cloudevents+json';

/** Whether headers have the attributes of an event, whose data is the body. (HTTP protocol binding 1.0: Binary Content Mode) */
export function isBinaryEvent(headers: IncomingHttpHeaders): boolean {
  return headers['ce-specversion'] !== undefined;
}

/** Reads an event whose attributes are headers. */
export function binaryEvent(headers: IncomingHttpHeaders, data: unknown): CloudEvent | readonly Problem[] {
  const attributes = Object.fromEntries(REQUIRED.map((name) => [name, decoded(headers[`ce-${name}`])]));
  return eventOf(attributes, data, (name) => `ce-${name}`);
}

/** Reads an event that is one JSON document. */
export function structuredEvent(body: unknown): CloudEvent | readonly Problem[] {
  if (!isJsonObject(body)) return [{ path: '', message: `an event must be a JSON object, not ${show(body)}` }];
  const { data_base64: encoded, datacontenttype: type } = body;
  if (type !== undefined && !isJsonType(type))
    return [{ path: 'datacontenttype', message: `must be a JSON type, not ${show(type)}` }];
  if (encoded === undefined) return eventOf(body, body.data, (name) => name);
  const data = typeof encoded === 'string' ? parsed(Buffer.from(encoded, 'base64').toString()) : undefined;
  if (data === undefined) return [{ path: 'data_base64', message: 'must be JSON in base64' }];
  return eventOf(body, data, (name) => name);
}

/** Whether a media type is JSON, whatever its parameters: `application/json`, `application/vnd.acme+json; charset=utf-8`. */
export function isJsonType(type: unknown): boolean {
  return typeof type === 'string' && /^[\w.+-]+\/([\w.-]+\+)?json\s*(;|$)/i.test(type);
}

function eventOf(
  attributes: Readonly<Record<string, unknown>>,
  data: unknown,
  at: (attribute: string) => string,
): CloudEvent | readonly Problem[] {
  const problems = REQUIRED.flatMap((name): Problem[] => {
    const value = attributes[name];
    if (typeof value !== 'string' || value === '')
      return [{ path: at(name), message: value === undefined ? 'is missing' : `must be text, not ${show(value)}` }];
    if (name !== 'specversion' || value === '1.0') return [];
    return [{ path: at(name), message: `must be 1.0, not ${show(value)}` }];
  });
  if (problems.length > 0) return problems;
  const { source, id } = attributes as { readonly source: string; readonly id: string };
  return { source, id, ...(data !== undefined && { data }) };
}

/** Header values are percent-encoded. (HTTP protocol binding 1.0: HTTP Header Values) */
function decoded(value: string | readonly string[] | undefined): string | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
