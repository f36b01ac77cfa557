/** The command line of tmk_vmm (OpenVMM tmk/tmk_vmm/src/main.rs). */
export interface TmkVmmArguments {
  readonly hypervisor: string | undefined;
  readonly tmk: string;
  readonly list: boolean;
  readonly tests: readonly string[];
}

/** @returns a text for stderr where the command line is refused, which ends the program with code 2 */
export function parseArguments(argv: readonly string[]): TmkVmmArguments | string {
  const words = [...argv];
  const tests: string[] = [];
  let hypervisor: string | undefined;
  let tmk: string | undefined;
  let list = false;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') tests.push(...words.splice(0));
    else if (word === '--hv') hypervisor = words.shift();
    else if (word === '--tmk') tmk = words.shift();
    else if (word === '--list') list = true;
    else if (word === '--disable-offloads') continue;
    else if (word.startsWith('-')) return refuse(`unexpected argument '${word}' found`);
    else tests.push(word);
  }
  if (hypervisor !== undefined && !['kvm', 'mshv-vtl', 'cca'].includes(hypervisor)) {
    return refuse(`invalid value '${hypervisor}' for '--hv <HV>'\n  [possible values: kvm, mshv-vtl, cca]`);
  }
  if (tmk === undefined) return refuse('the following required arguments were not provided:\n  --tmk <TMK>');
  return { hypervisor, tmk, list, tests };
}

function refuse(problem: string): string {
  return `error: ${problem}\n\nUsage: tmk_vmm [OPTIONS] --tmk <TMK> [TESTS]...\n\nFor more information, try '--help'.\n`;
}
