/** What `lkvm run` was asked for. */
export interface LkvmArguments {
  readonly realm: boolean;
  readonly megabytes: number;
  readonly kernel: string;
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
  return {
    realm: given.has('--realm'),
    megabytes: Number.parseInt(values.get('memory') ?? '256', 10),
    kernel: values.get('kernel') ?? '',
    share: { folder, tag },
    algorithm,
    rpv,
  };
}
