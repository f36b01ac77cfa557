import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PetriError } from '../../../petri/errors.ts';
import { hostsFilePath, parseHosts, readHostsFile } from './hosts-file.ts';

const good = `version: 1
hosts:
  - name: board-1
    address: 10.0.0.5
    user: lab
    hostKey: SHA256:abc
    tags: [cca]
    launchers:
      none:
        kind: command
        argv: [run-tmk, '--tmk=\${payload}']
`;

describe('parseHosts', () => {
  it('reads a host and fills in defaults', () => {
    expect(parseHosts(good, 'h.yaml')).toMatchObject([
      {
        name: 'board-1',
        port: 22,
        hostKey: ['SHA256:abc'],
        capacity: 1,
        tags: ['cca'],
        heartbeat: 30,
        lease: { kind: 'file', expires: 60 },
        consoles: [],
        launchers: { none: { kind: 'command', output: 'exit-code', argv: ['run-tmk', '--tmk=${payload}'] } },
      },
    ]);
  });

  it.each([
    ['a wrong value', good.replace('user: lab', 'user: lab\n    port: 70000'), /h\.yaml:6: hosts\[0\]\.port: /],
    ['an unknown key', good.replace('tags:', 'tag:'), /h\.yaml:3: hosts\[0\]: .*"tag"/],
    ['a missing key', good.replace('    user: lab\n', ''), /h\.yaml:3: hosts\[0\]\.user: /],
    ['an unknown variable', good.replace('${payload}', '${PATH}'), /h\.yaml:11: .*argv\[1\]: has \$\{PATH\}/],
    ['broken syntax', good.replace('[cca]', '[cca'), /h\.yaml:\d+:\d+: /],
    ['a duplicate key', `${good}version: 1\n`, /h\.yaml:12:1: .*unique/],
    ['no launcher', good.replace(/launchers:[^]*/, 'launchers: {}\n'), /h\.yaml:8: hosts\[0\]\.launchers: must have/],
    ['a host named twice', good + good.slice(good.indexOf('  - name')), /h\.yaml:12: hosts\[1\]\.name: is 'board-1'/],
    ['an odd folder', good.replace('tags:', "folder: '/x; rm -rf /'\n    tags:"), /hosts\[0\]\.folder: must be/],
    ['a folder above', good.replace('tags:', 'folder: /x/../y\n    tags:'), /must not have \.\./],
    ['a heartbeat beyond the lease', good.replace('tags:', 'heartbeat: 90\n    tags:'), /longer than its lease/],
    [
      'two consoles of a name',
      good.replace('tags:', 'consoles: [{kind: tcp, name: serial, address: a, port: 1}]\n    tags:'),
      /two named 'serial'/,
    ],
    ['another version', good.replace('version: 1', 'version: 2'), /h\.yaml:1: version: /],
    ['nothing', '', /h\.yaml:1: the file: /],
    [
      'aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`,
      /alias/i,
    ],
  ])('reports the location of %s', (_what, source, message) => {
    expect(() => parseHosts(source, 'h.yaml')).toThrow(message);
  });

  it('rejects any other content with the same typed error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (source) => {
        try {
          parseHosts(source, 'h.yaml');
        } catch (error) {
          expect(error).toBeInstanceOf(PetriError);
        }
      }),
    );
  });
});

describe('readHostsFile', () => {
  it('reports a missing file, with a remedy', () => {
    expect(() => readHostsFile('/nowhere/petri.hosts.yaml')).toThrow(/cannot be read: .*ENOENT[^]*remedy: describe/);
  });

  it('reads the file that PETRI_HOSTS names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hosts-file-'));
    try {
      const path = join(folder, 'lab.yaml');
      writeFileSync(path, good);
      expect(hostsFilePath('/project', {})).toBe('/project/petri.hosts.yaml');
      expect(readHostsFile(hostsFilePath(folder, { PETRI_HOSTS: 'lab.yaml' }))).toHaveLength(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
