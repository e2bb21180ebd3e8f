// One line a command; the order does not matter.
export { completionCommand } from './completion.ts';
