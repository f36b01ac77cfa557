import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { fipScript } from '../../../../petri/kit/stack/testing/fip.ts';
import { FakeWorld, fakeLinux, fakeOpenvmm, pauses } from '../../../../petri/kit/stack/testing/fake-world.ts';
import { sourceNames } from '../lock-file.ts';

/** A world with all sources of realms on QEMU, a few bytes each. e2fsprogs and make are the real ones. */
export class QemuWorld extends FakeWorld {
  constructor(folder: string) {
    super(folder);
    for (const program of ['g++', 'aarch64-linux-gnu-g++', 'iasl', 'python3', 'ninja', 'pkg-config'])
      this.installIdle(program);
    this.installProgram('aarch64-linux-gnu-gcc', compiler(join(folder, 'libraries')));
    this.installProgram('cmake', cmake);
    this.installQemu('11.0.1', ['x-rme']);
    mkdirSync(join(folder, 'libraries'));
    for (const name of ['libc.a', 'ld-linux-aarch64.so.1', 'libm.so.6', 'libgcc_s.so.1']) this.writeLibrary(name, name);
    this.writeLibrary('libc.so.6', 'GLIBC_2.17 GLIBC_2.36');

    this.writeRepository('mbedtls', { 'library.c': 'a library\n' });
    this.writeRepository('tfrmm', { 'CMakeLists.txt': '' });
    this.#addSubmodule('tfrmm', 'mbedtls');
    this.writeRepository('edk2', {
      'edksetup.sh': edksetup,
      'BaseTools/Makefile': baseTools,
      'programs/build': edk2Build,
    });
    this.writeRepository('tfa', { Makefile: tfaMakefile, 'fip.sh': fipScript });
    this.writeRepository('host-linux', fakeLinux);
    this.writeRepository('plane0-linux', fakeLinux);
    this.writeRepository('dtc', { Makefile: dtcMakefile });
    this.writeRepository('kvmtool', { Makefile: kvmtoolMakefile });
    this.writeRepository('busybox', { Makefile: busyboxMakefile });
    this.writeRepository('openvmm', fakeOpenvmm);
    this.writeRepository('qemu', { configure: qemuConfigure });
    this.writeLock({});
  }

  get lockFile(): string {
    return join(this.folder, 'qemu.lock.yaml');
  }

  override env(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    // Submodules come from local folders, which git refuses by default.
    return super.env({ GIT_ALLOW_PROTOCOL: 'file', ...more });
  }

  installQemu(version: string, properties: readonly string[]): void {
    this.installProgram('qemu-system-aarch64', qemu(version, properties));
  }

  /** A library of the cross compiler. */
  writeLibrary(name: string, content: string): void {
    writeFileSync(join(this.folder, 'libraries', name), content);
  }

  /** @param tfa options of TF-A besides, or instead of, the usual ones */
  writeLock(tfa: Readonly<Record<string, string>>): void {
    const moving = new Set(['kvmtool', 'plane0-linux']);
    const sources = Object.fromEntries(
      sourceNames.map((name) => {
        const at = moving.has(name)
          ? { revision: null, ref: 'main', why: 'it moves' }
          : { revision: this.head(name), why: 'it is the one' };
        return [name, { repository: this.url(name), ...at }];
      }),
    );
    const options = {
      tfrmm: { RMM_CONFIG: 'qemu_virt_defcfg', CMAKE_BUILD_TYPE: 'Release' },
      tfa: { ENABLE_FEAT_RME: '1', ENABLE_RMM: '1', ...tfa },
    };
    const lock = { version: 1, platform: 'qemu', options, sources, digests: {} };
    writeFileSync(this.lockFile, JSON.stringify(lock));
  }

  #addSubmodule(name: string, submodule: string): void {
    const work = join(this.folder, 'work', name);
    const env = { ...process.env, GIT_ALLOW_PROTOCOL: 'file' };
    const add = ['submodule', '--quiet', 'add', this.url(submodule), `ext/${submodule}`];
    execFileSync('git', ['-C', work, ...add], { env, stdio: 'pipe' });
    const relative = ['config', '--file', '.gitmodules', `submodule.ext/${submodule}.url`, `../${submodule}.git`];
    execFileSync('git', ['-C', work, ...relative]);
    this.commit(name);
  }
}

const compiler = (libraries: string): string => `
case "$1" in
  -print-file-name=*) name=\${1#*=}; [ -e "${libraries}/$name" ] && name="${libraries}/$name"; echo "$name" ;;
  *) echo "gcc 1.0-fake" ;;
esac`;

/** Answers queries like a QEMU without a machine. */
const qemu = (version: string, properties: readonly string[]): string => {
  const [major, minor, micro] = version.split('.').map(Number);
  const greeting = { QMP: { version: { qemu: { major, minor, micro }, package: 'fake' }, capabilities: [] } };
  const cpu = { return: properties.map((name) => ({ name })), id: 'cpu' };
  return `cat > /dev/null\ncat <<'END'\n${JSON.stringify(greeting)}\n${JSON.stringify(cpu)}\nEND`;
};

/** Like the RMM's build: patches its submodule, and fails to do so twice. */
const cmake = `${pauses}
if [ "$1" = --build ]; then
  objects=$2; source=$(cat "$objects/source")
  echo rmm >> "$FAKE_CALLS"
  printf half > "$objects/object"; stop_here rmm; fail_here rmm; printf whole > "$objects/object"
  grep -q patched "$source/ext/mbedtls/library.c" && { echo 'the patch does not apply' >&2; exit 1; }
  echo patched >> "$source/ext/mbedtls/library.c"
  mkdir -p "$objects/Release"
  { echo rmm; cat "$objects/object" "$source/changed"; } > "$objects/Release/rmm.img"
  exit 0
fi
while [ $# -gt 0 ]; do
  case "$1" in -S) source=$2 ;; -B) objects=$2 ;; esac
  shift
done
[ -e "$source/CMakeLists.txt" ] && [ "$CROSS_COMPILE" = aarch64-linux-gnu- ] || exit 1
echo "$source" > "$objects/source"`;

const edksetup = `
[ $# = 0 ] || { echo "edksetup.sh: what is $1?" >&2; return 1; }
[ -e BaseTools/made ] || return 1
PATH=$PWD/programs:$PATH
`;

const baseTools = `
all:
\t@touch made
`;

const edk2Build = `#!/bin/sh
echo edk2 >> "$FAKE_CALLS"
[ "$GCC5_AARCH64_PREFIX" = aarch64-linux-gnu- ] || exit 1
out=Build/ArmVirtQemuKernel-AARCH64/RELEASE_GCC5/FV
mkdir -p "$out"
{ echo "edk2 $*"; cat changed; } > "$out/QEMU_EFI.fd"
`;

/** Ignores unknown variables, like the real one. */
const tfaMakefile = `
.PHONY: all fip
folder := $(BUILD_BASE)/$(PLAT)/release
all:
\t@echo tfa >> "$$FAKE_CALLS"
\t@mkdir -p $(folder)
\t@if [ "$$FAKE_PAUSE" = tfa ]; then printf half > $(folder)/bl1.bin; : > "$$FAKE_PAUSED"; sleep 600; fi
\t@cat changed > $(folder)/bl1.bin
fip: all
\t@rmm=; if [ "$(ENABLE_FEAT_RME)$(ENABLE_RMM)" = 11 ]; then rmm=RMM=$(RMM); fi; \\
\tsh fip.sh BL2=changed BL31=changed $$rmm BL33=$(BL33) > $(folder)/fip.bin
`;

const dtcMakefile = `
libfdt/libfdt.a:
\t@mkdir -p libfdt && echo "$(CC)" > libfdt/libfdt.a
`;

const elf = String.raw`head -c 18 /dev/zero; printf '\267\000'`;

const kvmtoolMakefile = `
lkvm-static: $(LIBFDT_DIR)/libfdt.a
\t@echo lkvm >> "$$FAKE_CALLS"
\t@{ ${elf}; echo "$(ARCH)"; cat changed; } > lkvm-static
`;

/** Its `oldconfig` reads all of its input. */
const busyboxMakefile = `
.PHONY: defconfig oldconfig
defconfig:
\t@printf '# CONFIG_STATIC is not set\\nCONFIG_TC=y\\nCONFIG_ASH=y\\n' > $(O)/.config
oldconfig:
\t@cat
busybox: Makefile
\t@echo busybox >> "$$FAKE_CALLS"
\t@grep -qx CONFIG_STATIC=y $(O)/.config && grep -qx CONFIG_ASH=y $(O)/.config && ! grep -q CONFIG_TC=y $(O)/.config
\t@{ ${elf}; cat changed; } > $(O)/busybox
busybox.links:
\t@printf '%s\\n' /bin/sh /bin/stty /bin/mount /sbin/init /sbin/poweroff '/usr/bin/[' > $(O)/busybox.links
\t@if [ "$$FAKE_FAIL" = links ]; then echo /bin/sh > $(O)/busybox.links; fi
`;

const qemuConfigure = `#!/bin/sh
prefix=\${1#--prefix=}
cat > Makefile <<END
all:
\\t@echo qemu >> "\\$\\$FAKE_CALLS"
install:
\\t@mkdir -p $prefix/bin && cp "$(command -v qemu-system-aarch64)" $prefix/bin/
END
printf "$(sed 's/%/%%/g' Makefile)\\n" > Makefile.new && mv Makefile.new Makefile
`;
