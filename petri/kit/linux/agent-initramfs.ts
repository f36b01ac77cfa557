import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { artifactsFolder } from '../../artifacts/index.ts';
import { initramfs, type InitramfsEntry } from '../image/index.ts';
import type { LinuxPayload } from '../../contract/index.ts';

/** The program that the kernel starts (`rdinit=`): it starts the agent, and then `/init`. */
export const AGENT_INIT = '/petri/start.sh';

/**
 * An initramfs with the agent in it, followed by that of the payload or by one with busybox.
 *
 * The agent's archive ends at a multiple of four bytes, where the kernel accepts another archive with any compression
 * (Linux, `Documentation/driver-api/early-userspace/buffer-format.rst`). After the payload's archive it would be
 * decoded as part of that if the format has no end marker (lz4), and would hide what the kernel expects at the end
 * (bootconfig). Of two files with the same path the kernel keeps the later one, that of the payload.
 */
export function agentInitramfs(payload: LinuxPayload): Uint8Array {
  const agent: InitramfsEntry[] = [
    { kind: 'file', path: AGENT_INIT, content: script('start.sh'), mode: 0o755 },
    // The shell opens it for background jobs, before anything is mounted.
    { kind: 'character-device', path: '/dev/null', major: 1, minor: 3, mode: 0o666 },
    { kind: 'file', path: '/petri/agent.sh', content: script('agent.sh'), mode: 0o755 },
    // In load order, which is that of their names.
    ...(payload.modules ?? []).map((path, index): InitramfsEntry => {
      const number = String(index).padStart(3, '0');
      return {
        kind: 'file',
        path: `/petri/modules/${number}-${basename(path)}`,
        content: readFileSync(path),
        mode: 0o644,
      };
    }),
  ];
  if (payload.initramfs !== undefined) {
    return Buffer.concat([initramfs(agent), readFileSync(payload.initramfs)]);
  }
  if (payload.busybox === undefined) throw new Error('a Linux payload has an initramfs or busybox');
  return initramfs([
    ...['/proc', '/sys', '/dev', '/run', '/tmp', '/root'].map((path): InitramfsEntry => ({ kind: 'directory', path })),
    { kind: 'character-device', path: '/dev/console', major: 5, minor: 1 },
    { kind: 'file', path: '/bin/busybox', content: readFileSync(payload.busybox), mode: 0o755 },
    ...applets.map((name): InitramfsEntry => ({ kind: 'symlink', path: `/bin/${name}`, target: 'busybox' })),
    { kind: 'file', path: '/init', content: script('init.sh'), mode: 0o755 },
    ...agent,
  ]);
}

function script(name: string): Uint8Array {
  return readFileSync(join(artifactsFolder(), 'linux', name));
}

/** Busybox selects its applet by the name under which it is called. */
const applets =
  'ash awk base64 basename cat chmod chown cmp cp cttyhack cut date dd df diff dirname dmesg du echo env expr false find free grep \
gunzip gzip head hexdump hostname id insmod kill ln ls lsmod md5sum mkdir mknod mktemp modprobe more mount mv nproc od pgrep pidof \
ping poweroff printf ps pwd readlink realpath reboot rm rmdir sed seq setsid sh sha256sum sleep sort stat stty sync sysctl tail tar \
tee test time timeout top touch tr true truncate tty umount uname uniq uptime vi wc which whoami xargs yes zcat'.split(
    /\s+/,
  );
