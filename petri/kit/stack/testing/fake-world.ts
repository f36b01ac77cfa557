import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * A small world on disk for a real installation: Git repositories, and programs that build small files. Calls of the
 * programs are recorded in `<folder>/calls`; `FAKE_PAUSE` names where they stop half way, `FAKE_FAIL` where they fail.
 */
export class FakeWorld {
  readonly folder: string;
  protected readonly bin: string;

  constructor(folder: string) {
    this.folder = folder;
    this.bin = join(folder, 'bin');
    mkdirSync(this.bin, { recursive: true });
    const realGit = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    this.installProgram('git', `${pauses}\n${gitPause}\nexec ${realGit} "$@"`);
    this.installProgram('dpkg-query', "printf 'install ok installed'");
    this.installProgram(
      'rustc',
      `case "$*" in *target-libdir*) echo / ;; *sysroot*) echo "${folder}/rust" ;; *) echo "rustc 1.0-fake" ;; esac`,
    );
    mkdirSync(join(folder, 'rust/lib/rustlib/src/rust/library/core'), { recursive: true });
    this.installProgram('cargo', cargo);
    for (const program of ['gcc', 'flex', 'bison', 'bc']) this.installIdle(program);
  }

  url(name: string): string {
    return `file://${this.repository(name)}`;
  }

  /** Environment of an installation in this world. */
  env(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      HOME: this.folder,
      LANG: 'C',
      PATH: [this.bin, process.env['PATH'] ?? ''].join(delimiter),
      PETRI_STATE_DIR: join(this.folder, 'state'),
      FAKE_CALLS: this.calls,
      FAKE_PAUSED: this.pausedFile,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      ...more,
    };
  }

  /** Appears when a program has stopped half way. */
  get pausedFile(): string {
    return join(this.folder, 'paused');
  }

  /** The calls of programs since the last call, one word each. */
  takeCalls(): string[] {
    let calls = '';
    try {
      calls = readFileSync(this.calls, 'utf8');
    } catch {
      // Nothing was called.
    }
    rmSync(this.calls, { force: true });
    return calls.split('\n').filter((call) => call !== '');
  }

  /** Removes a program, as on a machine on which it is not installed. */
  uninstall(program: string): void {
    rmSync(join(this.bin, program));
  }

  installProgram(program: string, script: string): void {
    const path = join(this.bin, program);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }

  /** Makes a commit on a branch of a repository. @returns its id */
  commit(name: string, branch = 'main'): string {
    const work = join(this.folder, 'work', name);
    writeFileSync(join(work, 'changed'), `${String(Math.random())}\n`);
    git(work, 'checkout', '--quiet', '-B', branch);
    git(work, 'add', '-A');
    git(work, 'commit', '--quiet', '-m', 'change');
    git(work, 'push', '--quiet', this.repository(name), branch);
    return git(work, 'rev-parse', 'HEAD');
  }

  head(name: string): string {
    return git(join(this.folder, 'work', name), 'rev-parse', 'HEAD');
  }

  private get calls(): string {
    return join(this.folder, 'calls');
  }

  protected repository(name: string): string {
    return join(this.folder, 'repositories', `${name}.git`);
  }

  /** Installs a program that does nothing. */
  protected installIdle(program: string): void {
    this.installProgram(program, 'echo "fake 1.0"');
  }

  /** Makes a repository with one commit on `main`. */
  protected writeRepository(name: string, files: Readonly<Record<string, string>>): void {
    const work = join(this.folder, 'work', name);
    mkdirSync(work, { recursive: true });
    mkdirSync(join(this.folder, 'repositories'), { recursive: true });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(work, path, '..'), { recursive: true });
      writeFileSync(join(work, path), text, { mode: 0o755 });
    }
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', this.repository(name)]);
    execFileSync('git', ['init', '--quiet', '--initial-branch=main', work]);
    this.commit(name);
  }
}

function git(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=fake', '-c', 'user.email=fake@example.org'];
  return execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf8' }).trim();
}

/** Shell functions that stop half way at FAKE_PAUSE, or fail at FAKE_FAIL. */
export const pauses = [
  `stop_here() { if [ "$FAKE_PAUSE" = "$1" ]; then : > "$FAKE_PAUSED"; sleep 600; fi; }`,
  `fail_here() { if [ "$FAKE_FAIL" = "$1" ]; then echo "$1: error: no such register" >&2; exit 3; fi; }`,
].join('\n');

const gitPause = `
for argument; do
  case "$argument" in
    fetch) fetching=yes; echo "fetch" >> "$FAKE_CALLS" ;;
    */repositories/*.git) [ "$fetching" = yes ] && stop_here "$(basename "$argument" .git)-source" ;;
  esac
done`;

const cargo = `${pauses}
[ "$1" = --version ] && { echo "cargo 1.0-fake"; exit 0; }
[ "$RUSTC_BOOTSTRAP" = 1 ] || exit 1
case "$*" in
*--package=tmk_vmm*--target=aarch64-unknown-linux-gnu*) program=tmk_vmm; where=tmk-vmm; target=aarch64-unknown-linux-gnu ;;
*--package=simple_tmk*--config=*)
  program=simple_tmk; where=simple-tmk; target=aarch64-minimal_rt-none
  config=$(printf '%s\n' "$@" | sed -n 's/^--config=//p')
  [ -e "$config" ] || { echo "error: failed to parse value from --config argument" >&2; exit 101; } ;;
*) exit 101 ;;
esac
echo cargo >> "$FAKE_CALLS"
out=$CARGO_TARGET_DIR/$target/debug
mkdir -p "$out"
# As with make: an object that is there is taken for whole.
if [ ! -e "$out/$program.o" ]; then printf half > "$out/$program.o"; stop_here $where; fail_here $where; printf whole > "$out/$program.o"; fi
printf '\\033[1m   Compiling\\033[0m %s\n' "$program" >&2
{ head -c 18 /dev/zero; printf '\\267\\000'; cat "$out/$program.o"; } > "$out/$program"`;

/** OpenVMM, as far as its builds access it. */
export const fakeOpenvmm = { 'Cargo.toml': '[workspace]\n', 'openhcl/minimal_rt/aarch64-config.toml': '[build]\n' };

const kernelConfig = `#!/bin/sh
file=$2; shift 2
while [ $# -gt 0 ]; do [ "$1" = --enable ] && echo "$2=y" >> "$file"; shift 2; done
`;

const kernelMakefile = `
.PHONY: defconfig olddefconfig Image
step := $(subst linux,kernel,$(notdir $(O)))
defconfig:
\t@mkdir -p $(O) && echo '# default' > $(O)/.config && echo defconfig >> "$$FAKE_CALLS"
olddefconfig:
\t@if [ "$$FAKE_FAIL" = options ]; then grep -v ARM_CCA_GUEST $(O)/.config > $(O)/c && mv $(O)/c $(O)/.config; fi
Image:
\t@echo kernel >> "$$FAKE_CALLS"
\t@mkdir -p $(O)/arch/arm64/boot
\t@if [ ! -e $(O)/vmlinux.o ]; then printf half > $(O)/vmlinux.o; \\
\tif [ "$$FAKE_PAUSE" = $(step) ]; then : > "$$FAKE_PAUSED"; sleep 600; fi; \\
\tif [ "$$FAKE_FAIL" = $(step) ]; then rm $(O)/vmlinux.o; echo 'cc: error: no such register' >&2; exit 3; fi; \\
\tprintf whole > $(O)/vmlinux.o; fi
\t@{ head -c 56 /dev/zero; printf ARMd; cat $(O)/vmlinux.o changed; } > $(O)/arch/arm64/boot/Image
`;

/** A Linux of a few bytes. Source folders are distinguished by the file `changed`, which every commit writes. */
export const fakeLinux = { Makefile: kernelMakefile, 'scripts/config': kernelConfig };
