import { describe, expect, it } from 'vitest';
import { grantHint, grantHints } from '../../lib/cli/grant-hint.ts';

const denied = (verb: string, resource: string, group = '') =>
  `Cannot: is forbidden: User "ann" cannot ${verb} resource "${resource}" in API group "${group}" in the namespace "etl" (Forbidden, 403)`;

describe('who was refused something is told which grants of a plan allow it', () => {
  it.each<[string, string | undefined]>([
    [denied('patch', 'jobs', 'batch'), 'Of the grants of a plan, grantOperate allows to patch jobs.'],
    [denied('create', 'jobs', 'batch'), 'Of the grants of a plan, grantLaunch and grantOperate allow to create jobs.'],
    [
      denied('get', 'cronjobs', 'batch'),
      'Of the grants of a plan, grantView, grantLaunch and grantOperate allow to get cronjobs.',
    ],
    [denied('get', 'pods/log'), 'Of the grants of a plan, grantView and grantOperate allow to get pods/log.'],
    [
      denied('patch', 'cronjobs/status', 'batch'),
      'Of the grants of a plan, grantOperate allows to patch cronjobs/status.',
    ],
    [denied('patch', 'jobs', 'other.example'), undefined],
    [denied('delete', 'cronjobs', 'batch'), undefined],
    [denied('list', 'secrets'), undefined],
    ['pods "x" is forbidden: exceeded quota: few', undefined],
  ])('%s', (message, hint) => {
    expect(grantHint(message)).toBe(hint);
  });

  it('once, of several that were refused', () => {
    expect(grantHints([denied('patch', 'jobs', 'batch'), 'other', denied('patch', 'jobs', 'batch')])).toHaveLength(1);
  });
});
