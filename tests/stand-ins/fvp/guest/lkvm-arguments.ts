/** What `lkvm run` was asked for. */
export interface LkvmArguments {
  readonly realm: boolean;
  readonly megabytes: number;
  readonly kernel: string;
  /** Linux has its early console where kvmtool's UART is. */
  readonly earlyConsole: boolean;
  readonly share: { readonly folder: string; readonly tag: string };
  readonly algorithm: string;
  readonly rpv: string;
}

const withValue: Readonly<Record<string, string>> = {
  '-c': 'vcpus',
  '-m': 'memory',
  '-k': 'kernel',
  '--kernel': 'kernel',
  '-p': 'params',
  '--params': 'params',
  '-i': 'initrd',
  '--initrd': 'initrd',
  '--9p': 'share',
  '--console': 'console',
  '--irqchip': 'irqchip',
  '--measurement-algo': 'algorithm',
  '--realm-pv': 'rpv',
  '--loglevel': 'loglevel',
};

const switches = new Set([
  '--realm',
  '--disable-sve',
  '--no-pvtime',
  '--force-pci',
  '--restricted_mem',
  '--measurement-log',
  '--debug',
]);

/** What `lkvm run --help` lists, as far as anybody asks it. */
export const lkvmHelp = [
  '',
  ' usage: lkvm run [<options>] [<kernel image>]',
  '',
  ...[...Object.keys(withValue), ...switches].map((option) => `        ${option}`),
  '',
].join('\n');

/** @returns what kvmtool says to a command line that it refuses */
export function parseLkvm(argv: readonly string[]): LkvmArguments | string {
  const [command, ...words] = argv;
  if (command !== 'run') return `'${command ?? ''}' is not a kvm command`;
  const values = new Map<string, string>();
  const given = new Set<string>();
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const option = equals < 0 ? word : word.slice(0, equals);
    const name = withValue[option];
    if (name !== undefined) {
      const value = equals < 0 ? words.shift() : word.slice(equals + 1);
      if (value === undefined) return `option \`${option}' requires a value`;
      values.set(name, value);
    } else if (switches.has(word)) given.add(word);
    else return `unknown option \`${word}'`;
  }
  const [folder = '', tag = ''] = (values.get('share') ?? '').split(',');
  const algorithm = values.get('algorithm') ?? 'sha256';
  if (!['sha256', 'sha512'].includes(algorithm)) return `unknown measurement algorithm '${algorithm}'`;
  const rpv = values.get('rpv') ?? '';
  if (Buffer.byteLength(rpv) > 64) return 'Realm Personalization Value is longer than 64 bytes';
  const megabytes = Number.parseInt(values.get('memory') ?? '256', 10);
  return {
    realm: given.has('--realm'),
    megabytes,
    kernel: values.get('kernel') ?? '',
    earlyConsole: hasEarlyConsole(values.get('params') ?? '', megabytes),
    share: { folder, tag },
    algorithm,
    rpv,
  };
}

/**
 * The UART is at 16 MiB of the upper half of the realm's address space, whose size is the least that RAM from 2 GiB
 * on fits into, twice.
 */
function hasEarlyConsole(params: string, megabytes: number): boolean {
  const address = /(?:^| )earlycon=uart,mmio,(0x[\da-f]+)(?: |$)/.exec(params)?.[1];
  const bits = Math.max(32, Math.ceil(Math.log2((2048 + megabytes) * 2 ** 20)));
  return address !== undefined && Number(address) === 2 ** bits + 2 ** 24;
}
