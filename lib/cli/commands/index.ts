// One line a command; the order does not matter.
export { applyCommand } from './apply.ts';
export { completionCommand } from './completion.ts';
export { synthCommand } from './synth.ts';
