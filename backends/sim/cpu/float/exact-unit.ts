import { Cost, type Effort } from '../effort.ts';
import { VcpuState } from '../layout.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { Environment, Flag, isDefaultMode } from './environment.ts';
import { ExactInstructions } from './instructions.ts';
import { unpacked } from './operation.ts';
import { QuickUnit } from './quick-unit.ts';

/** @returns the cost */
export type ExactUnit = (operation: number, parameter: number, d: number, n: number, m: number, a: number) => number;

/** Says whether generated code may use its own results (`VcpuState.FloatDefault`), by FPCR and FPSR. */
export function noteModes({ u32 }: LinearMemory): void {
  const isDefault = isDefaultMode(u32[VcpuState.Fpcr >> 2] ?? 0);
  const inexact = ((u32[VcpuState.Fpsr >> 2] ?? 0) & Flag.IXC) !== 0;
  u32[VcpuState.FloatDefault >> 2] = isDefault ? 1 : 0;
  u32[VcpuState.FloatSettled >> 2] = isDefault && inexact ? 1 : 0;
}

/**
 * Executes a floating-point instruction exactly, whatever FPCR asks for, and raises its flags: what generated code
 * calls where it cannot know that its own result is the same and that FPSR stays as it is. Registers are places in the
 * state.
 */
export function createExactUnit(memory: LinearMemory, effort: Effort): ExactUnit {
  const { u32 } = memory;
  const quick = new QuickUnit(memory);
  return (operation, parameter, d, n, m, a) => {
    const env = new Environment(u32[VcpuState.Fpcr >> 2] ?? 0);
    const decoded = unpacked(operation);
    const places = { d, n, m, a, parameter };
    const isQuick = quick.execute(decoded, places, env);
    if (!isQuick) new ExactInstructions(memory, env, places).execute(decoded);
    u32[VcpuState.Fpsr >> 2] = (u32[VcpuState.Fpsr >> 2] ?? 0) | env.raised;
    noteModes(memory);
    const cost = isQuick ? Cost.QuickFloat : Cost.ExactFloat + decoded.lanes * Cost.ExactLane;
    effort.called += cost;
    return cost;
  };
}
