import * as z from 'zod';

import { templateVariables, unknownVariables } from './template.ts';

const text = z
  .string()
  .min(1)
  .max(4096)
  .refine((value) => !value.includes('\0'), 'must not have NUL in it');
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, hyphens or underscores');
const port = z.int().min(1).max(65_535);
const seconds = (least: number, most: number): z.ZodNumber => z.number().min(least).max(most);
const argv = z.array(text).min(1).max(1000);
const environmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');
/** A path on the host, without characters that a login shell could interpret. */
const remoteFolder = z
  .string()
  .regex(/^\/[A-Za-z0-9._/-]{1,1024}$/, 'must be an absolute path of letters, digits and . _ / -')
  .refine((path) => !path.split('/').includes('..'), 'must not have .. in it');

const template = z.array(
  text.superRefine((argument, context) => {
    for (const unknown of unknownVariables(argument)) {
      context.addIssue({
        code: 'custom',
        message: `has \${${unknown}}, which does not exist; there are ${Object.keys(templateVariables).join(', ')}`,
      });
    }
  }),
);

const target = {
  address: text,
  port: port.default(22),
  user: text,
  /** `SHA256:…`, or a line of known_hosts without the host: `ssh-ed25519 AAAA…`. Several while keys change. */
  hostKey: z
    .union([text, z.array(text).min(1)])
    .transform((keys) => (typeof keys === 'string' ? [keys] : keys))
    .optional(),
  /** Path of a private key on this computer; `~/` is the home folder. */
  identityFile: text.optional(),
  /** Environment variable with the passphrase of the key. */
  passphraseEnv: environmentName.optional(),
  /** Whether to use the agent of $SSH_AUTH_SOCK. Default: if no identityFile is given. */
  agent: z.boolean().optional(),
};

const jump = z.strictObject(target);
export type SshTarget = z.infer<typeof jump>;

const command = z.strictObject({
  kind: z.literal('command'),
  argv: template.min(1).max(1000),
  /**
   * How its output is interpreted: like that of OpenVMM's tmk_vmm, whose exit code is the verdict; or as text only,
   * with exit code 0 for a test that has passed.
   */
  output: z.enum(['tmk-vmm', 'exit-code']).default('exit-code'),
  env: z.record(environmentName, text).default({}),
  /** Whether it runs on a terminal (made by `script` of util-linux). */
  terminal: z.boolean().default(false),
});

const qemu = z.strictObject({
  kind: z.literal('qemu'),
  command: text.default('qemu-system-aarch64'),
  cpu: text.optional(),
  /** Added at the end. */
  args: template.max(1000).default([]),
});

const qemuGuest = z.strictObject({
  kind: z.literal('qemu'),
  command: text.optional(),
  cpu: text.optional(),
  /** Paths on the host: Linux, and an initramfs that starts a shell on its console and can mount 9p. */
  kernel: text,
  initrd: text,
  /** For the guest's side of the shared folder. */
  tmkVmm: text,
  firmware: text.optional(),
  /** @default 'console=hvc0 panic=-1' */
  cmdline: text.optional(),
  args: template.max(1000).default([]),
});

const kvmtool = z.strictObject({
  kind: z.literal('kvmtool'),
  command: text.default('lkvm'),
  /** Paths on the host. */
  kernel: text,
  tmkVmm: text,
  args: template.max(1000).default([]),
});

const launchers = z
  .strictObject({
    none: z.discriminatedUnion('kind', [command, qemu]).optional(),
    cca: z.discriminatedUnion('kind', [command, qemuGuest, kvmtool]).optional(),
    snp: z.discriminatedUnion('kind', [command, qemuGuest]).optional(),
    tdx: z.discriminatedUnion('kind', [command, qemuGuest]).optional(),
  })
  .refine((all) => Object.keys(all).length > 0, 'must have a launcher for at least one of none, cca, snp, tdx');

/** Line ending that `sendLine` sends to this console. @default 'cr', as the Enter key does */
const lineEnding = z.enum(['lf', 'cr', 'crlf']).optional();

const consoleSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('tcp'), name, address: text, port, lineEnding }),
  z.strictObject({ kind: z.literal('telnet'), name, address: text, port, lineEnding }),
  /** Run on this computer, on a terminal: ipmitool sol activate, picocom, console. */
  z.strictObject({ kind: z.literal('command'), name, argv, end: argv.optional(), lineEnding }),
  /** Through labgrid's client. `resource`: its name in labgrid, if the place has several. */
  z.strictObject({ kind: z.literal('labgrid'), name, resource: name.optional(), lineEnding }),
]);

const powerTimes = { timeout: seconds(1, 3600).default(60) };
const power = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('command'),
    on: argv,
    off: argv,
    cycle: argv.optional(),
    status: argv.optional(),
    ...powerTimes,
  }),
  z.strictObject({
    kind: z.literal('ipmi'),
    address: text,
    user: text,
    passwordEnv: environmentName,
    /** The level that the session asks for. @default ipmitool's own, ADMINISTRATOR */
    privilege: z.enum(['USER', 'OPERATOR', 'ADMINISTRATOR']).optional(),
    command: text.default('ipmitool'),
    ...powerTimes,
  }),
  z.strictObject({
    kind: z.literal('redfish'),
    url: z.url({ protocol: /^https?$/ }),
    system: name,
    user: text,
    passwordEnv: environmentName,
    ...powerTimes,
  }),
  z.strictObject({ kind: z.literal('labgrid'), resource: name.optional(), ...powerTimes }),
]);

const lease = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('file'),
    folder: remoteFolder.default('/var/tmp'),
    /** Seconds after which a lease that is not renewed expires. */
    expires: seconds(5, 3600).default(60),
  }),
  z.strictObject({
    kind: z.literal('labgrid'),
    place: name,
    /** @default $LG_COORDINATOR, else labgrid's own */
    coordinator: text.optional(),
    command: argv.default(['python3', '-m', 'labgrid.remote.client']),
  }),
]);

const host = z.strictObject({
  name,
  ...target,
  jump: jump.optional(),
  tags: z.array(name).max(100).default([]),
  /** VMs that may run at the same time. */
  capacity: z.int().min(1).max(256).default(1),
  /** Folder for uploads and launches on the host. @default .cache/petri-vm in the user's home */
  folder: remoteFolder.optional(),
  /** Seconds without a heartbeat of this side after which a launch ends by itself. */
  heartbeat: seconds(3, 3600).default(30),
  /** Seconds in which a broken connection may be restored before the VM counts as lost. */
  reconnect: seconds(0, 3600).default(20),
  /** Seconds between keep-alive messages on the connection; three that are missed end it. */
  keepAlive: seconds(1, 300).default(5),
  /** MiB that one launch may print. */
  outputLimit: z.int().min(1).max(65_536).default(256),
  lease: lease.default({ kind: 'file', folder: '/var/tmp', expires: 60 }),
  launchers,
  consoles: z.array(consoleSource).max(16).default([]),
  power: power.optional(),
});

/** petri.hosts.yaml: the machines of a lab. Unknown keys are errors. */
export const hostsSchema = z
  .strictObject({ version: z.literal(1), hosts: z.array(host).min(1).max(1000) })
  .superRefine(({ hosts }, context) => {
    hosts.forEach(({ name: own }, index) => {
      if (hosts.findIndex((other) => other.name === own) === index) return;
      context.addIssue({ code: 'custom', path: ['hosts', index, 'name'], message: `is '${own}' for a second time` });
    });
    hosts.forEach(({ consoles }, index) => {
      const names = ['serial', 'launcher', ...consoles.map((source) => source.name)];
      const twice = names.find((one, position) => names.indexOf(one) !== position);
      if (twice === undefined) return;
      context.addIssue({ code: 'custom', path: ['hosts', index, 'consoles'], message: `has two named '${twice}'` });
    });
    hosts.forEach((one, index) => {
      const places = [...one.consoles.map((source) => ['consoles', source.kind]), ['power', one.power?.kind]];
      for (const [field = ''] of places.filter(([, kind]) => kind === 'labgrid' && one.lease.kind !== 'labgrid')) {
        const message = "is of labgrid, and the host's lease is not: give it `lease: { kind: labgrid, place: … }`";
        context.addIssue({ code: 'custom', path: ['hosts', index, field], message });
      }
      if (one.lease.kind === 'file' && one.heartbeat > one.lease.expires) {
        const message = `is ${String(one.heartbeat)} s, longer than its lease lasts (${String(one.lease.expires)} s)`;
        context.addIssue({ code: 'custom', path: ['hosts', index, 'heartbeat'], message });
      }
      if (one.reconnect > one.heartbeat) {
        const message = `is ${String(one.reconnect)} s, longer than its heartbeat allows (${String(one.heartbeat)} s)`;
        context.addIssue({ code: 'custom', path: ['hosts', index, 'reconnect'], message });
      }
    });
  });

export type HostConfig = z.infer<typeof host>;
export type CommandConfig = z.infer<typeof command>;
export type MonitorQemuConfig = z.infer<typeof qemu>;
export type QemuGuestConfig = z.infer<typeof qemuGuest>;
export type KvmtoolConfig = z.infer<typeof kvmtool>;
export type LauncherConfig = NonNullable<HostConfig['launchers'][keyof HostConfig['launchers']]>;
export type ConsoleSource = HostConfig['consoles'][number];
export type PowerConfig = NonNullable<HostConfig['power']>;
export type LeaseConfig = HostConfig['lease'];
