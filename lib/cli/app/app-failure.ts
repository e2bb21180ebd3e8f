/**
 * What an app that failed has to say, without what Node prints around it (the place of the `throw`, a stack trace, its
 * version), when it failed because of problems that synth found: ours, or those of cdk8s' own validation. Any other
 * failure is the author's to debug: then nothing.
 */
export function problemsIn(stderr: string): string | undefined {
  const found = /^(?:\[?InvalidError: |(?:\[?\w*Error: )?Validation failed with the following errors)/m.exec(stderr);
  if (found === null) return undefined;
  const bracketed = found[0].startsWith('[');
  const [first = '', ...rest] = stderr
    .slice(found.index)
    // What it followed from is in the message.
    .replace(/\] \{\n {2}\[cause\]: .*/s, ']')
    .replace(/^\[?\w*Error: /, '')
    .split('\n');
  const end = rest.findIndex((line) => !line.startsWith('  ') || /^\s+at /.test(line));
  const text = [first, ...(end < 0 ? rest : rest.slice(0, end))].join('\n');
  // An error without a stack is printed in brackets.
  return bracketed ? text.replace(/\]$/, '') : text;
}
