import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';
import { defineConfig } from 'eslint/config';

/**
 * Which folders a folder may import from. Imports go one way; nothing imports `cli`.
 * A folder that is not listed may import anything.
 */
/** @type {Record<string, readonly string[]>} */
const mayImport = {
  'lib/values': [],
  'lib/graph': ['values'],
  'lib/manifests': ['values'],
  'lib/pods': ['manifests', 'values'],
  'lib/plans': ['graph', 'values', 'pods'],
  'lib/engine': ['graph', 'values', 'pods'],
  'lib/kube': ['values'],
  'lib/runs': ['engine', 'kube', 'plans', 'graph', 'values', 'pods'],
  'lib/controller': ['engine', 'kube', 'runs', 'graph', 'values', 'pods'],
  'lib/local': ['engine', 'graph', 'values', 'pods'],
  'lib/fleet': ['kube', 'graph', 'values', 'pods'],
  'lib/client': ['engine', 'manifests', 'plans', 'kube', 'runs', 'fleet', 'graph', 'values', 'pods'],
  'lib/cli': ['values', 'graph', 'manifests', 'pods', 'engine', 'kube', 'runs', 'controller', 'local', 'fleet'],
  constructs: ['graph', 'manifests', 'plans', 'pods', 'values'],
};

// A path leaves its folder with as many `../` as the file is deep in it, and one more.
const directions = Object.entries(mayImport).flatMap(([folder, allowed]) =>
  [0, 1, 2].map((depth) => {
    const targets = `(?:${allowed.join('|')})/`;
    const elsewhere = `^(\\.\\./){${depth + 1}}(?!${folder.startsWith('lib/') ? targets : `lib/${targets}`})`;
    const message = `${folder} may import only from: ${allowed.join(', ') || 'nothing'}.`;
    return {
      files: [`${folder}${'/*'.repeat(depth + 1)}.ts`],
      rules: { 'no-restricted-imports': ['error', { patterns: [{ regex: elsewhere, message }] }] },
    };
  }),
);

export default defineConfig(
  { ignores: ['build/', '**/dist/', 'node_modules/'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': false }],
      '@typescript-eslint/no-explicit-any': 'error',
    },
  },
  ...directions,
  prettier,
);
