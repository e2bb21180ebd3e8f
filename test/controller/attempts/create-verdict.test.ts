import { describe, expect, it } from 'vitest';
import { createVerdict } from '../../../lib/controller/attempts/create-verdict.ts';
import { ConnectionError, KubeError } from '../../../lib/kube/errors.ts';
import type { Status } from '../../../lib/kube/objects.ts';
import { InvalidError } from '../../../lib/values/problems.ts';

const subject = { verb: 'create', object: 'Pod ns/run-a-1' };
const refusal = (code: number, reason: string, message: string, details: Status['details'] = {}) =>
  new KubeError({ kind: 'Status', code, reason, message, details }, subject);

describe('a refused creation', () => {
  it.each<[string, Error, string]>([
    ['the name is taken', refusal(409, 'AlreadyExists', 'pods "a" already exists'), 'exists'],
    [
      'the quota is used up',
      refusal(
        403,
        'Forbidden',
        'pods "a" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
      ),
      'wait',
    ],
    [
      'the controller may not',
      refusal(
        403,
        'Forbidden',
        'pods is forbidden: User "x" cannot create resource "pods" in API group "" in the namespace "n"',
      ),
      'wait',
    ],
    [
      'the namespace ends',
      refusal(403, 'Forbidden', 'unable to create new content in namespace n because it is being terminated', {
        causes: [{ reason: 'NamespaceTerminating' }],
      }),
      'wait',
    ],
    [
      'the service account is not there',
      refusal(
        403,
        'Forbidden',
        'pods "a" is forbidden: error looking up service account n/x: serviceaccount "x" not found',
      ),
      'missing',
    ],
    [
      'pod security',
      refusal(403, 'Forbidden', 'pods "a" is forbidden: violates PodSecurity "restricted:latest"'),
      'rejected',
    ],
    [
      'a limit range',
      refusal(403, 'Forbidden', 'pods "a" is forbidden: maximum cpu usage per Container is 1'),
      'rejected',
    ],
    ['a webhook says no', refusal(400, 'BadRequest', 'admission webhook "w" denied the request: no'), 'rejected'],
    [
      'a webhook says no with a code of its own',
      refusal(418, '', 'admission webhook "w" denied the request: no'),
      'rejected',
    ],
    ['a webhook does not answer', refusal(500, 'InternalError', 'failed calling webhook "w": timeout'), 'wait'],
    ['the pod is invalid', refusal(422, 'Invalid', 'Pod "a" is invalid: spec.containers: Required value'), 'rejected'],
    ['the template is gone', refusal(404, 'NotFound', 'podtemplates "t" not found'), 'missing'],
    ['too many requests', refusal(429, 'TooManyRequests', 'slow down'), 'wait'],
    ['no answer', new ConnectionError('https://x', subject, { code: 'ECONNREFUSED' }), 'wait'],
    ['an override that cannot be merged', new InvalidError('Pod template', [{ path: 'a', message: 'b' }]), 'rejected'],
  ])('because %s', (_, error, kind) => {
    const verdict = createVerdict(error);
    expect(verdict.kind).toBe(kind);
    if (verdict.kind !== 'exists') expect(verdict.message).not.toBe('');
  });
});
