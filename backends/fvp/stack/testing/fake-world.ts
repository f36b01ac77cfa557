import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * A small world on disk in which the real installation runs: Git repositories, Python packages, and programs that build
 * small things. What the programs do is in `<folder>/calls`; `FAKE_PAUSE` names where they stop half way, `FAKE_FAIL`
 * where they fail.
 */
export class FakeWorld {
  readonly folder: string;
  readonly #bin: string;

  constructor(folder: string) {
    this.folder = folder;
    this.#bin = join(folder, 'bin');
    mkdirSync(this.#bin, { recursive: true });
    this.#writePrograms();
    this.#writeRepositories();
    execFileSync('python3', ['-c', wheelMaker, join(folder, 'wheels')]);
    this.#writeLock();
  }

  get lockFile(): string {
    return join(this.folder, 'fvp.lock.yaml');
  }

  url(name: string): string {
    return `file://${this.#repository(name)}`;
  }

  /** Environment of an installation in this world. */
  env(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      HOME: this.folder,
      LANG: 'C',
      PATH: [this.#bin, process.env['PATH'] ?? ''].join(delimiter),
      PETRI_STATE_DIR: join(this.folder, 'state'),
      FAKE_CALLS: this.#calls,
      FAKE_PAUSED: this.pausedFile,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      PIP_CONFIG_FILE: '/dev/null',
      PIP_NO_INDEX: '1',
      PIP_FIND_LINKS: join(this.folder, 'wheels'),
      ...more,
    };
  }

  /** Appears when a program stopped half way. */
  get pausedFile(): string {
    return join(this.folder, 'paused');
  }

  /** What the programs did since the last call, one word each. */
  takeCalls(): string[] {
    let calls = '';
    try {
      calls = readFileSync(this.#calls, 'utf8');
    } catch {
      // Nothing was called.
    }
    rmSync(this.#calls, { force: true });
    return calls.split('\n').filter((call) => call !== '');
  }

  /** Takes a program away, as on a machine where it is not installed. */
  uninstall(program: string): void {
    rmSync(join(this.#bin, program));
  }

  installProgram(program: string, script: string): void {
    const path = join(this.#bin, program);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }

  /** A new commit on a branch of a repository; gives its id. */
  commit(name: string, branch = 'main'): string {
    const work = join(this.folder, 'work', name);
    writeFileSync(join(work, 'changed'), `${String(Math.random())}\n`);
    git(work, 'checkout', '--quiet', '-B', branch);
    git(work, 'add', '-A');
    git(work, 'commit', '--quiet', '-m', 'change');
    git(work, 'push', '--quiet', this.#repository(name), branch);
    return git(work, 'rev-parse', 'HEAD');
  }

  head(name: string): string {
    return git(join(this.folder, 'work', name), 'rev-parse', 'HEAD');
  }

  get #calls(): string {
    return join(this.folder, 'calls');
  }

  #repository(name: string): string {
    return join(this.folder, 'repositories', `${name}.git`);
  }

  #writePrograms(): void {
    const realGit = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    const idle = ['gcc', 'flex', 'bison', 'bc', 'debugfs', 'e2fsck', 'resize2fs', 'aarch64-linux-gnu-gcc'];
    const firmware = ['cmake', 'dtc', 'mcopy', 'mkfs.vfat', 'parted', 'rsync', 'cpio', 'unzip', 'wget', 'nc', 'telnet'];
    for (const program of [...idle, ...firmware, 'aarch64-none-elf-gcc']) {
      this.installProgram(program, 'echo "fake 1.0"');
    }
    this.installProgram('dpkg-query', "printf 'install ok installed'");
    this.installProgram('rustc', 'case "$*" in *target-libdir*) echo / ;; *) echo "rustc 1.0-fake" ;; esac');
    this.installProgram('git', `${pauseAt('fetch')}\n${gitPause}\nexec ${realGit} "$@"`);
    this.installProgram('cargo', cargo);
  }

  #writeRepositories(): void {
    const contents: Record<string, Record<string, string>> = {
      shrinkwrap: { 'shrinkwrap/shrinkwrap': shrinkwrap },
      'plane0-linux': { Makefile: kernelMakefile, 'scripts/config': kernelConfig },
      openvmm: { 'Cargo.toml': '[workspace]\n' },
      components: { README: 'firmware, as far as anybody looks\n' },
    };
    for (const [name, files] of Object.entries(contents)) {
      const work = join(this.folder, 'work', name);
      mkdirSync(work, { recursive: true });
      mkdirSync(join(this.folder, 'repositories'), { recursive: true });
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(join(work, path, '..'), { recursive: true });
        writeFileSync(join(work, path), text, { mode: 0o755 });
      }
      execFileSync('git', ['init', '--quiet', '--bare', this.#repository(name)]);
      execFileSync('git', ['init', '--quiet', '--initial-branch=main', work]);
      this.commit(name);
    }
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
python: { pyyaml: 6.0.3, termcolor: 1.1.0, tuxmake: 1.29.3 }
digests: {}
`;
    writeFileSync(this.lockFile, lock);
  }
}

function git(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=fake', '-c', 'user.email=fake@example.org'];
  return execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf8' }).trim();
}

/** Shell that stops half way where FAKE_PAUSE says so, or fails where FAKE_FAIL says so. */
function pauseAt(where: string): string {
  return [
    `stop_here() { if [ "$FAKE_PAUSE" = "$1" ]; then : > "$FAKE_PAUSED"; sleep 600; fi; }`,
    `fail_here() { if [ "$FAKE_FAIL" = "$1" ]; then echo "$1: error: no such register" >&2; exit 3; fi; }`,
    `where=${where}`,
  ].join('\n');
}

const gitPause = `
for argument; do
  case "$argument" in
    fetch) fetching=yes; echo "fetch" >> "$FAKE_CALLS" ;;
    */repositories/*.git) [ "$fetching" = yes ] && stop_here "$(basename "$argument" .git)-source" ;;
  esac
done`;

const cargo = `${pauseAt('tmk-vmm')}
[ "$1" = --version ] && { echo "cargo 1.0-fake"; exit 0; }
echo cargo >> "$FAKE_CALLS"
out=$CARGO_TARGET_DIR/aarch64-unknown-linux-gnu/debug
mkdir -p "$out"
# As with make: an object that is there is taken for whole.
if [ ! -e "$out/tmk_vmm.o" ]; then printf half > "$out/tmk_vmm.o"; stop_here $where; fail_here $where; printf whole > "$out/tmk_vmm.o"; fi
{ head -c 18 /dev/zero; printf '\\267\\000'; cat "$out/tmk_vmm.o"; } > "$out/tmk_vmm"`;

const kernelConfig = `#!/bin/sh
file=$2; shift 2
while [ $# -gt 0 ]; do [ "$1" = --enable ] && echo "$2=y" >> "$file"; shift 2; done
`;

const kernelMakefile = `
.PHONY: defconfig olddefconfig Image
defconfig:
\t@mkdir -p $(O) && echo '# default' > $(O)/.config && echo defconfig >> "$$FAKE_CALLS"
olddefconfig:
\t@if [ "$$FAKE_FAIL" = options ]; then grep -v ARM_CCA_GUEST $(O)/.config > $(O)/c && mv $(O)/c $(O)/.config; fi
Image:
\t@echo kernel >> "$$FAKE_CALLS"
\t@mkdir -p $(O)/arch/arm64/boot
\t@if [ ! -e $(O)/vmlinux.o ]; then printf half > $(O)/vmlinux.o; \\
\tif [ "$$FAKE_PAUSE" = plane0-kernel ]; then : > "$$FAKE_PAUSED"; sleep 600; fi; \\
\tif [ "$$FAKE_FAIL" = plane0-kernel ]; then rm $(O)/vmlinux.o; echo 'cc: error: no such register' >&2; exit 3; fi; \\
\tprintf whole > $(O)/vmlinux.o; fi
\t@{ head -c 56 /dev/zero; printf ARMd; cat $(O)/vmlinux.o changed; } > $(O)/arch/arm64/boot/Image
`;

const shrinkwrap = `#!/usr/bin/env python3
import os, shutil, sys, time
import yaml, termcolor, tuxmake
args = sys.argv[1:]
if '--version' in args:
    print('shrinkwrap v2026.6.0-fake')
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
pack('fip.bin', (tfa + pinned).encode())
pack('dt_bootargs.dtb', b'dtb')
open(os.path.join(package, config + '.yaml'), 'w').write('resolved: ' + config + '\\n')
`;

/** Makes the wheels that the lock names, each with one module. */
const wheelMaker = `
import os, sys, zipfile
folder = sys.argv[1]
os.makedirs(folder)
for name, version, module in [('pyyaml', '6.0.3', 'yaml'), ('termcolor', '1.1.0', 'termcolor'), ('tuxmake', '1.29.3', 'tuxmake')]:
    info = f'{name}-{version}.dist-info'
    with zipfile.ZipFile(os.path.join(folder, f'{name}-{version}-py3-none-any.whl'), 'w') as wheel:
        wheel.writestr(f'{module}.py', '')
        wheel.writestr(f'{info}/METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n')
        wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\\nGenerator: fake\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
        wheel.writestr(f'{info}/RECORD', f'{module}.py,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n')
`;
