import { expect, it } from 'vitest';
import { notificationsOn } from '../../lib/graph/notifications.ts';

it.each([
  ['{"notifications":{"a":{}}}', '{"cluster":"eu","notifications":{"a":{}}}'],
  ['{"cluster":"us","runUrl":"u"}', '{"cluster":"eu","runUrl":"u"}'],
  ['[]', '[]'],
  ['nonsense', 'nonsense'],
])('what is told of runs on another cluster names that one: %s', (text, expected) => {
  expect(notificationsOn('eu', text)).toBe(expected);
});
