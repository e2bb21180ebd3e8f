import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

test('the declarations of the package hold together for who looks at those of libraries too', () => {
  const entries = ['build/constructs/index.d.ts', 'build/lib/client/index.d.ts'];
  const program = ts.createProgram(
    entries.map((entry) => join(root, entry)),
    {
      noEmit: true,
      strict: true,
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      skipLibCheck: false,
      types: ['node'],
    },
  );
  const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(join(root, 'build')));
  expect(own.length).toBeGreaterThan(20);
  const wrong = own.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ]);
  expect(
    wrong.map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`),
  ).toEqual([]);
});
