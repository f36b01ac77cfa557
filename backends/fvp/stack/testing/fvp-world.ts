import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { fipScript } from '../../../../petri/kit/stack/testing/fip.ts';
import { FakeWorld, fakeLinux, fakeOpenvmm } from '../../../../petri/kit/stack/testing/fake-world.ts';

const standInDocker = new URL('../../../../tests/stand-ins/fvp/docker', import.meta.url);

const imageList = (images: Readonly<Record<string, string>>): string =>
  Object.entries(images)
    .map(([name, digest]) => `${name} ${digest}\n`)
    .join('');

/** A world with shrinkwrap, and Python packages for it. */
export class FvpWorld extends FakeWorld {
  constructor(folder: string) {
    super(folder);
    const image = ['debugfs', 'e2fsck', 'resize2fs', 'aarch64-linux-gnu-gcc', 'aarch64-none-elf-gcc'];
    const firmware = ['cmake', 'dtc', 'mcopy', 'mkfs.vfat', 'parted', 'rsync', 'cpio', 'unzip', 'wget', 'nc', 'telnet'];
    for (const program of [...image, ...firmware]) this.installIdle(program);
    this.installProgram('docker', `exec ${fileURLToPath(standInDocker)} "$@"`);
    mkdirSync(this.#containers);
    this.writeRepository('shrinkwrap', { 'shrinkwrap/shrinkwrap': shrinkwrap });
    this.writeRepository('plane0-linux', fakeLinux);
    this.writeRepository('openvmm', fakeOpenvmm);
    this.writeRepository('components', { README: 'firmware, as far as anybody looks\n' });
    execFileSync('python3', ['-c', wheelMaker, join(folder, 'wheels')]);
    this.#writeLock();
  }

  get lockFile(): string {
    return join(this.folder, 'fvp.lock.yaml');
  }

  override env(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const pip = { PIP_CONFIG_FILE: '/dev/null', PIP_NO_INDEX: '1', PIP_FIND_LINKS: join(this.folder, 'wheels') };
    return super.env({ ...pip, PETRI_STAND_IN_DOCKER: this.#containers, ...more });
  }

  get #containers(): string {
    return join(this.folder, 'containers');
  }

  /** Content of a registry of container images, digests by name with tag; without any there is no network. */
  publishImages(images: Readonly<Record<string, string>> | undefined): void {
    const path = join(this.#containers, 'registry');
    rmSync(path, { force: true });
    if (images !== undefined) writeFileSync(path, imageList(images));
  }

  /** Local images; '-' for one that was built locally. */
  haveImages(images: Readonly<Record<string, string>>): void {
    writeFileSync(join(this.#containers, 'images'), imageList(images));
  }

  #writeLock(): void {
    const source = (name: string, component?: string): string => {
      const open = name === 'components' || name === 'plane0-linux';
      const revision = open ? 'null, ref: main, why: it moves' : this.head(name);
      return `{ repository: '${this.url(name)}', revision: ${revision}${component === undefined ? '' : `, component: ${component}`} }`;
    };
    const lock = `
version: 1
platform: fvp
shrinkwrap: { config: cca-3world.yaml, image: null, overlays: [buildroot.yaml], variables: { GUEST_ROOTFS: '\${artifact:BUILDROOT}' } }
sources:
  shrinkwrap: ${source('shrinkwrap')}
  plane0-linux: ${source('plane0-linux')}
  openvmm: ${source('openvmm')}
  tfa: { repository: '${this.url('components')}', revision: ${this.head('components')}, component: tfa }
  tfrmm: { repository: '${this.url('components')}', revision: ${this.head('components')}, component: rmm }
  host-linux: ${source('components', 'linux')}
  kvmtool: ${source('components', 'kvmtool/kvmtool')}
python: { pyyaml: 6.0.3, termcolor: 3.2.0, tuxmake: 1.34.0 }
digests: {}
`;
    writeFileSync(this.lockFile, lock);
  }
}

const shrinkwrap = `#!/usr/bin/env python3
import json, os, shutil, sys, time
import yaml, termcolor, tuxmake
args = sys.argv[1:]
if '--version' in args:
    print('shrinkwrap v2026.6.0-fake')
    sys.exit(0)
if args[0] == 'process':
    one = {'.': {'remote': None, 'revision': None, 'project': None}}
    build = {name: {'repo': one} for name in ['tfa', 'rmm', 'linux', 'edk2', 'buildroot']}
    build['kvmtool'] = {'repo': {'dtc': one['.'], 'kvmtool': one['.']}}
    print('%YAML 1.2\\n---\\n' + json.dumps({'name': None, 'build': build}))
    sys.exit(0)
def call(word):
    with open(os.environ['FAKE_CALLS'], 'a') as calls: calls.write(word + '\\n')
call('shrinkwrap')
print('building', args)
config = [a for a in args if a.endswith('.yaml') and not a.startswith('-')][0][:-5]
overlays = [a.split('=', 1)[1] for a in args if a.startswith('--overlay=')]
pinned = ''.join(open(o).read() for o in overlays if o.startswith('/'))
package = os.environ['SHRINKWRAP_PACKAGE']
objects = os.path.join(os.environ['SHRINKWRAP_BUILD'], 'build', config)
shutil.rmtree(os.path.join(package, config), ignore_errors=True)
os.makedirs(os.path.join(package, config))
def compile(component):
    folder = os.path.join(objects, component)
    path = os.path.join(folder, 'object')
    if not os.path.exists(path):
        call('build-' + component)
        os.makedirs(folder, exist_ok=True)
        open(path, 'w').write('half')
        if os.environ.get('FAKE_PAUSE') == 'firmware' and component == 'tfa':
            open(os.environ['FAKE_PAUSED'], 'w').close()
            time.sleep(600)
        if os.environ.get('FAKE_FAIL') == 'firmware' and component == 'tfa':
            os.remove(path)
            print('make[1]: *** [bl1.c] error: no such register', file=sys.stderr)
            print('Exception: Failed to execute', file=sys.stderr)
            sys.exit(1)
        open(path, 'w').write('whole %f' % time.time())
    return open(path).read()
def pack(name, data):
    open(os.path.join(package, config, name), 'wb').write(data)
tfa = compile('tfa')
pack('rootfs.ext2', bytes(1080) + b'\\x53\\xef' + compile('buildroot').encode())
pack('Image', bytes(56) + b'ARMd' + b'host')
pack('lkvm', bytes(18) + b'\\xb7\\x00' + b'lkvm')
pack('bl1.bin', tfa.encode())
import subprocess
parts = {'BL2': tfa, 'BL31': tfa, 'RMM': 'rmm', 'BL33': pinned}
if 'ENABLE_RME: 1' not in pinned or os.environ.get('FAKE_FAIL') == 'rmm': del parts['RMM']
for name, text in parts.items(): open(os.path.join(objects, name), 'w').write(text)
images = [name + '=' + os.path.join(objects, name) for name in parts]
pack('fip.bin', subprocess.check_output(['sh', '-c', r'''${fipScript}''', 'fip.sh', *images]))
pack('dt_bootargs.dtb', b'dtb')
open(os.path.join(package, config + '.yaml'), 'w').write('resolved: ' + config + '\\n')
`;

/** Makes the wheels of the lock, each with one module. */
const wheelMaker = `
import os, sys, zipfile
folder = sys.argv[1]
os.makedirs(folder)
for name, version, module in [('pyyaml', '6.0.3', 'yaml'), ('termcolor', '3.2.0', 'termcolor'), ('tuxmake', '1.34.0', 'tuxmake')]:
    info = f'{name}-{version}.dist-info'
    with zipfile.ZipFile(os.path.join(folder, f'{name}-{version}-py3-none-any.whl'), 'w') as wheel:
        wheel.writestr(f'{module}.py', '')
        wheel.writestr(f'{info}/METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n')
        wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\\nGenerator: fake\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
        wheel.writestr(f'{info}/RECORD', f'{module}.py,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n')
`;
