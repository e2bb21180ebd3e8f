import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import type { OutputsText } from '../engine/advance.ts';
import { MAX_OUTPUTS_BYTES } from '../pods/template.ts';

/** Outputs are read this far, so that a message can tell their size. */
const READ_BYTES = 1024 * 1024;

/** What an attempt wrote to its outputs file, marked when a cluster would have cut it; nothing when it wrote nothing. */
export function readOutputsFile(file: string): OutputsText | undefined {
  const bytes = readPart(file, (size) => ({ from: 0, length: Math.min(size, READ_BYTES) }));
  if (bytes === undefined || bytes.length === 0) return undefined;
  const text = bytes.toString('utf8');
  return bytes.length > MAX_OUTPUTS_BYTES ? { text, cutAt: MAX_OUTPUTS_BYTES } : { text };
}

const LINE_CHARACTERS = 200;

/** The last line of a log that says something, without colours; nothing in an empty log. */
export function lastLine(file: string): string | undefined {
  const bytes = readPart(file, (size) => ({ from: Math.max(0, size - 4096), length: Math.min(size, 4096) }));
  const lines = stripVTControlCharacters(bytes?.toString('utf8') ?? '').split(/[\r\n]+/);
  const line = lines.findLast((text) => text.trim() !== '')?.trim();
  return line !== undefined && line.length > LINE_CHARACTERS ? `${line.slice(0, LINE_CHARACTERS - 1)}…` : line;
}

/** Nothing when there is no such file. */
function readPart(file: string, part: (size: number) => { from: number; length: number }): Buffer | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return undefined;
  }
  try {
    const { from, length } = part(fstatSync(descriptor).size);
    const buffer = Buffer.alloc(length);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, length, from));
  } finally {
    closeSync(descriptor);
  }
}
