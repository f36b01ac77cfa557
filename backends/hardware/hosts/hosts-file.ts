import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

import { isNode, LineCounter, parseDocument, type Document } from 'yaml';

import { PetriError } from '../../../petri/errors.ts';
import { hostsSchema, type HostConfig } from './schema.ts';

/** Far more than a lab needs; a larger file is not a hosts file. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Path of the hosts file: `$PETRI_HOSTS`, else `petri.hosts.yaml` in `cwd`. Absolute. */
export function hostsFilePath(cwd: string, env: Readonly<Record<string, string | undefined>> = process.env): string {
  const path = env['PETRI_HOSTS'];
  return resolve(cwd, path !== undefined && path !== '' ? path : 'petri.hosts.yaml');
}

/** @throws PetriError `hosts-file-invalid`, which names line and field */
export function readHostsFile(path: string): HostConfig[] {
  let source: string;
  try {
    if (statSync(path).size > MAX_BYTES) throw new Error(`it has more than ${String(MAX_BYTES)} bytes`);
    source = readFileSync(path, 'utf8');
  } catch (error) {
    throw new PetriError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      code: 'hosts-file-invalid',
      step: 'config',
      remedy: 'describe your machines there, as docs/hardware.md shows, or set PETRI_HOSTS to the file that does',
      cause: error,
    });
  }
  return parseHosts(source, path);
}

/** @throws PetriError `hosts-file-invalid` */
export function parseHosts(source: string, path: string): HostConfig[] {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, strict: true, uniqueKeys: true });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const { line, col } = lines.linePos(syntax.pos[0]);
    throw invalid([`${path}:${String(line)}:${String(col)}: ${syntax.message.split('\n')[0] ?? syntax.code}`]);
  }
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw invalid([`${path}: ${error instanceof Error ? error.message : String(error)}`]);
  }
  const parsed = hostsSchema.safeParse(content);
  if (parsed.success) return parsed.data.hosts;
  throw invalid(
    parsed.error.issues.slice(0, 20).map((issue) => {
      const where = `${path}:${String(lineOf(document, issue.path, lines))}`;
      return `${where}: ${fieldName(issue.path)}: ${issue.message}`;
    }),
  );
}

/** `hosts[0].launchers.none`: the path in readable form. */
function fieldName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the file';
  return path
    .map((key) => (typeof key === 'number' ? `[${String(key)}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

/** Line of the field, or of the value that should contain it. */
function lineOf(document: Document.Parsed, path: readonly PropertyKey[], lines: LineCounter): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range !== null && node.range !== undefined) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function invalid(complaints: readonly string[]): PetriError {
  return new PetriError(complaints.join('\n'), {
    code: 'hosts-file-invalid',
    step: 'config',
    remedy: 'correct the file; docs/hardware.md lists every field',
  });
}
