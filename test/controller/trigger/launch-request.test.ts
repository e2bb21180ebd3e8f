import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { launchOf, planPath } from '../../../lib/controller/trigger/launch-request.ts';
import { problemDetails, Refusal } from '../../../lib/controller/trigger/problem-answer.ts';
import { formatProblem } from '../../../lib/values/problems.ts';

function launch(headers: IncomingHttpHeaders, body: unknown = undefined) {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  try {
    const { at, ...read } = launchOf(headers, Buffer.from(text));
    return { ...read, at: at('day') };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [error.status, error.message, ...error.problems.map(formatProblem)];
  }
}

const json = { 'content-type': 'application/json' };
const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
const attributes = { specversion: '1.0', id: '7', source: '/store', type: 'acme.file.written' };
const binary = {
  ...json,
  'ce-specversion': '1.0',
  'ce-id': '7',
  'ce-source': '/store',
  'ce-type': 'acme.file.written',
};
const eventKey = 'event ["/store","7"]';

describe('a request', () => {
  it.each<[string, string, unknown]>([
    ['POST', '/v1/namespaces/data/plans/etl-a/runs', { namespace: 'data', plan: 'etl-a' }],
    ['POST', '/v1/namespaces/data/plans/etl-a/runs?x=1', { namespace: 'data', plan: 'etl-a' }],
    ['GET', '/v1/namespaces/data/plans/etl-a/runs', 405],
    ['POST', '/v1/namespaces/data/plans/etl-a/runs/', 404],
    ['POST', '/v1/namespaces/data/plans/..%2Fetl/runs', 404],
    ['POST', '/v2/namespaces/data/plans/etl-a/runs', 404],
    ['GET', '/', 404],
  ])('%s %s', (method, url, expected) => {
    const read = () => {
      try {
        return planPath(method, url);
      } catch (error) {
        return (error as Refusal).status;
      }
    };
    expect(read()).toEqual(expected);
  });

  it.each<[string, IncomingHttpHeaders, unknown, unknown]>([
    ['inputs as JSON', json, { day: '1' }, { inputs: { day: '1' }, at: 'inputs.day' }],
    ['nothing', {}, undefined, { inputs: {}, at: 'inputs.day' }],
    ['a key', { ...json, 'idempotency-key': '"a b"' }, {}, { inputs: {}, at: 'inputs.day', idempotencyKey: 'a b' }],
    ['a bare key', { 'idempotency-key': 'a' }, undefined, { inputs: {}, at: 'inputs.day', idempotencyKey: 'a' }],
    [
      'a structured event',
      structured,
      { ...attributes, data: { day: '1' } },
      { inputs: { day: '1' }, at: 'data.day', idempotencyKey: eventKey },
    ],
    [
      'a structured event in base64',
      structured,
      {
        ...attributes,
        datacontenttype: 'application/json',
        data_base64: Buffer.from('{"day":"1"}').toString('base64'),
      },
      { inputs: { day: '1' }, at: 'data.day', idempotencyKey: eventKey },
    ],
    [
      'a structured event without data',
      structured,
      attributes,
      { inputs: {}, at: 'data.day', idempotencyKey: eventKey },
    ],
    ['a binary event', binary, { day: '1' }, { inputs: { day: '1' }, at: 'data.day', idempotencyKey: eventKey }],
    [
      'a binary event with an encoded header',
      { ...binary, 'ce-id': 'caf%C3%A9' },
      {},
      { inputs: {}, at: 'data.day', idempotencyKey: 'event ["/store","café"]' },
    ],
  ])('is read: %s', (_, headers, body, expected) => {
    expect(launch(headers, body)).toEqual(expected);
  });

  it.each<[string, IncomingHttpHeaders, unknown, unknown]>([
    ['no JSON', json, '{', [400, 'the body is not JSON']],
    [
      'a list',
      json,
      [1],
      [400, 'the inputs are not valid', 'inputs: must be a JSON object of inputs by name, not [1]'],
    ],
    [
      'text',
      { 'content-type': 'text/plain' },
      'a',
      [415, 'the body must be application/json or application/cloudevents+json, not "text/plain"'],
    ],
    [
      'a batch of events',
      { 'content-type': 'application/cloudevents-batch+json' },
      [],
      [
        415,
        'the body must be application/json or application/cloudevents+json, not "application/cloudevents-batch+json"',
      ],
    ],
    [
      'an event of another version without an id',
      structured,
      { ...attributes, specversion: '0.3', id: undefined, source: '' },
      [
        400,
        'the CloudEvent is not valid',
        'specversion: must be 1.0, not "0.3"',
        'id: is missing',
        'source: must be text, not ""',
      ],
    ],
    [
      'a binary event without a source',
      { ...json, 'ce-specversion': '1.0', 'ce-id': '7', 'ce-type': 'a' },
      {},
      [400, 'the CloudEvent is not valid', 'ce-source: is missing'],
    ],
    [
      'an event of a picture',
      structured,
      { ...attributes, datacontenttype: 'image/png', data_base64: 'AAAA' },
      [400, 'the CloudEvent is not valid', 'datacontenttype: must be a JSON type, not "image/png"'],
    ],
    [
      'data that is no object',
      structured,
      { ...attributes, data: 'a' },
      [400, 'the inputs are not valid', 'data: must be a JSON object of inputs by name, not "a"'],
    ],
    [
      'two keys',
      { ...binary, 'idempotency-key': 'k' },
      {},
      [
        400,
        'an event has its own key',
        'Idempotency-Key: is given beside an event, whose source and id are the key; leave it out',
      ],
    ],
    [
      'a key that is too long',
      { 'idempotency-key': 'k'.repeat(257) },
      undefined,
      [400, 'the Idempotency-Key is not valid', 'Idempotency-Key: must have 1 to 256 characters, not 257'],
    ],
  ])('is refused: %s', (_, headers, body, expected) => {
    expect(launch(headers, body)).toEqual(expected);
  });

  it('has one key for an event whose names are longer than a key may be', () => {
    const long = { ...attributes, source: `/${'a'.repeat(300)}` };
    const key = (event: object) => (launch(structured, event) as { idempotencyKey: string }).idempotencyKey;
    expect(key(long)).toBe(key({ ...long, data: {} }));
    expect(key(long)).not.toBe(key({ ...long, id: '8' }));
    expect(key(long).length).toBeLessThanOrEqual(256);
  });

  it('that is refused is answered by a problem document', () => {
    const refusal = new Refusal(422, 'it cannot be', { problems: [{ path: 'inputs.day', message: 'is missing' }] });
    expect(problemDetails(refusal)).toEqual({
      type: 'about:blank',
      title: 'Unprocessable Entity',
      status: 422,
      detail: 'it cannot be',
      errors: [{ path: 'inputs.day', message: 'is missing' }],
    });
  });
});
