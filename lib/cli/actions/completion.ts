import type { Shell } from '../../cli/commands/completion.ts';

export function completionScript(shell: Shell): string {
  return shell;
}
