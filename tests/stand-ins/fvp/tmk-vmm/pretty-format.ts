/**
 * The lines of OpenVMM's tmk_vmm: tracing-subscriber's `Pretty` event format without source locations
 * (tmk/tmk_vmm/src/main.rs; tracing-subscriber/src/fmt/format/pretty.rs). The field formatter that main.rs sets is for
 * spans alone: fields of events are printed by PrettyVisitor, `name: value` with Rust's Debug.
 */
export interface PrettyOptions {
  /** tracing-subscriber colours whenever NO_COLOR is unset or empty, terminal or not. */
  readonly colour: boolean;
  /** Newer versions print control characters of messages as escapes. */
  readonly escapeMessages: boolean;
  /** Lines about the span that an event is in, as when the VP's thread has one. */
  readonly span: boolean;
}

export type Level = 'INFO' | 'ERROR' | 'WARN';

/** Already formatted with Debug. */
export type Fields = readonly (readonly [name: string, value: string])[];

const colours: Readonly<Record<Level, string>> = { INFO: '32', WARN: '33', ERROR: '31' };

/** One event, with the empty line after it. */
export function prettyEvent(
  event: { readonly level: Level; readonly target: string; readonly message?: string; readonly fields?: Fields },
  now: Date,
  options: PrettyOptions,
): string {
  const { level, target, message, fields = [] } = event;
  const colour = colours[level];
  const style = (code: string, text: string): string => (options.colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const time = options.colour ? `\x1b[2m${timestamp(now)}\x1b[0m` : timestamp(now);
  const head = `  ${time} ${style(colour, level.padStart(5))} ${style(`1;${colour}`, target)}${style(colour, ':')} `;
  const parts = [
    ...(message === undefined ? [] : [options.escapeMessages ? escapeControls(message) : message]),
    ...fields.map(([name, value]) =>
      options.colour ? `\x1b[1;${colour}m${name}\x1b[0m\x1b[${colour}m: ${value}` : `${name}: ${value}`,
    ),
  ];
  const body = parts.join(', ');
  const coloured = options.colour ? `${message === undefined ? '' : `\x1b[${colour}m`}${body}\x1b[0m` : body;
  const span = options.span
    ? `    ${style('2', 'in')} virt_mshv_vtl::processor::${style('1', 'run_vp')} ${style('2', 'with')} vp=0x0\n`
    : '';
  return `${head}${coloured}\n${span}\n`;
}

/** SystemTime's format: microseconds, UTC. The guest's clock has more digits than this machine's gives. */
function timestamp(now: Date): string {
  return now.toISOString().replace('Z', '000Z');
}

function escapeControls(text: string): string {
  return text.replaceAll(/[\x07\x08\x0c\x1b\x7f\x80-\x9f]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** A string as Rust's Debug prints it. */
export function debugString(text: string): string {
  const escaped = text.replaceAll(/[\\"\n\r\t\0]|[\x01-\x1f\x7f]/g, (character) => {
    const short: Readonly<Record<string, string>> = {
      '\\': '\\\\',
      '"': '\\"',
      '\n': '\\n',
      '\r': '\\r',
      '\t': '\\t',
      '\0': '\\0',
    };
    return short[character] ?? `\\u{${character.charCodeAt(0).toString(16)}}`;
  });
  return `"${escaped}"`;
}

/** `virt::aarch64::vp::Registers` in an Option, printed with `{:#x?}`. */
export function debugRegisters(registers: {
  readonly x: readonly bigint[];
  readonly sp: bigint;
  readonly pc: bigint;
  readonly pstate: bigint;
}): string {
  const value = (name: string, bits: bigint): string => `        ${name}: 0x${bits.toString(16)},\n`;
  const general = Array.from({ length: 29 }, (_, index) => value(`x${index}`, registers.x[index] ?? 0n)).join('');
  return `Some(\n    Registers {\n${general}${[
    value('fp', registers.x[29] ?? 0n),
    value('lr', registers.x[30] ?? 0n),
    value('sp_el0', 0n),
    value('sp_el1', registers.sp),
    value('pc', registers.pc),
    value('cpsr', registers.pstate),
  ].join('')}    },\n)`;
}
