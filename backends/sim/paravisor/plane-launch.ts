import { COMMAND_ADDRESS } from '../../../petri/tmk/index.ts';
import { type Plane0Port, type Plane0Step, PlaneEnter, PlaneEnterFlag, RealmConfigLayout } from '../rmm/index.ts';
import { locate, writePage } from './plane0-memory.ts';
import { Plane0Failure, rsi, RSI_VERSION_1_1, rsiStatusName, tryRsi } from './rsi-client.ts';

/** Memory that plane 0 uses to launch plane 1, and what it launches. Addresses are protected IPAs of the realm. */
export interface PlaneLaunch {
  /** Page of plane 0 for RsiRealmConfig. */
  readonly realmConfigPage: number;
  /** Page of plane 0 for RsiPlaneRun. */
  readonly runPage: number;
  /** The memory of plane 1: base and size, whole pages. */
  readonly ram: { readonly base: number; readonly bytes: number };
  /** Page of `ram` for the TMK's StartInput. */
  readonly startInput: number;
  /** Address of the first instruction of plane 1. */
  readonly entry: number;
  /** Index of the TMK test to run. */
  readonly testIndex: number;
}

/** The fields of RsiRealmConfig that the plane-run core needs. */
interface RealmFacts {
  readonly ipaWidth: number;
  readonly numAuxPlanes: number;
}

export const PLANE = 1n;

/** The overlay index that OpenHCL's kernel uses for the memory of its lower VTL. */
const PERMISSION_INDEX = 2n;
/** Stage-2 overlay value RW+upX. */
const RW_UPX = 15n;
/** EL1h with DAIF masked, in the format of SPSR_EL2. */
const PSTATE = 0x3c5n;

/** System registers that OpenHCL writes before plane 1 first runs, in the same order: encoding and value. */
const initialSysregs: readonly (readonly [encoding: bigint, value: bigint])[] = [
  [0xdce0n, 0x40n], // PMCR_EL0
  [0x8012n, 0x800n], // MDSCR_EL1
  [0xc080n, 0xc5_0878n], // SCTLR_EL1
  [0xc100n, 0n], // TTBR0_EL1
  [0xc101n, 0n], // TTBR1_EL1
  [0xc102n, 0n], // TCR_EL1
  [0xc290n, 0n], // ESR_EL1
  [0xc300n, 0n], // FAR_EL1
  [0xc510n, 0n], // MAIR_EL1
  [0xc201n, 0n], // ELR_EL1
  [0xc600n, 0n], // VBAR_EL1
];

/**
 * Everything that OpenHCL and tmk_vmm do before plane 1 first runs: reads the realm configuration, writes the start
 * input, gives plane 1 access to its memory, writes its system registers and fills the run page.
 *
 * @throws Plane0Failure if an RSI command fails
 */
export function* launchPlane(port: Plane0Port, launch: PlaneLaunch): Generator<Plane0Step, RealmFacts, void> {
  yield* negotiateVersion(port);
  const facts = yield* readRealmConfig(port, launch.realmConfigPage);
  if (facts.numAuxPlanes < 1) throw new Plane0Failure('the realm has no auxiliary plane');
  yield* writePage(port, launch.startInput, [
    [0, BigInt(COMMAND_ADDRESS)],
    [8, BigInt(launch.testIndex)],
  ]);
  yield* openMemory(port, launch.ram.base, launch.ram.base + launch.ram.bytes);
  for (const [encoding, value] of initialSysregs) yield* rsi(port, 'PLANE_SYSREG_WRITE', PLANE, encoding, value);
  yield* writePage(port, launch.runPage, [
    [PlaneEnter.flags, BigInt(PlaneEnterFlag.trapSimd)],
    [PlaneEnter.pc, BigInt(launch.entry)],
    [PlaneEnter.pstate, PSTATE],
    [PlaneEnter.gprs, BigInt(launch.startInput)],
  ]);
  return facts;
}

function* negotiateVersion(port: Plane0Port): Generator<Plane0Step, void, void> {
  const status = yield* tryRsi(port, 'VERSION', RSI_VERSION_1_1);
  if (status !== 0n) throw new Plane0Failure(`the RMM has no RSI 1.1: RSI_VERSION gave ${rsiStatusName(status)}`);
}

function* readRealmConfig(port: Plane0Port, page: number): Generator<Plane0Step, RealmFacts, void> {
  yield* writePage(port, page, []);
  yield* rsi(port, 'REALM_CONFIG', BigInt(page));
  const offset = yield* locate(port, page, false);
  return {
    ipaWidth: port.linear.view.getUint32(offset + RealmConfigLayout.ipaWidth, true),
    numAuxPlanes: port.linear.view.getUint32(offset + RealmConfigLayout.numAuxPlanes, true),
  };
}

/** RSI_MEM_SET_PERM_INDEX covers as much as the host did; the specification requires repeating it until the end. */
function* openMemory(port: Plane0Port, base: number, top: number): Generator<Plane0Step, void, void> {
  yield* rsi(port, 'MEM_SET_PERM_VALUE', PLANE, PERMISSION_INDEX, RW_UPX);
  let next = BigInt(base);
  let cookie = 0n;
  while (next < BigInt(top)) {
    yield* rsi(port, 'MEM_SET_PERM_INDEX', next, BigInt(top), PERMISSION_INDEX, cookie);
    const reached = port.x[1] ?? 0n;
    if (port.x[2] !== 0n || reached <= next) {
      throw new Plane0Failure(`the host refused plane 1 its memory from IPA 0x${next.toString(16)}`);
    }
    next = reached;
    cookie = port.x[3] ?? 0n;
  }
}
