import type { RegisterFile } from '../abi/register-file.ts';
import { RsiStatus } from '../abi/status.ts';
import { MEASUREMENT_BYTES, REM_COUNT } from '../attestation/measurements.ts';
import type { Realm } from '../realm/realm.ts';
import { answer } from './rsi-answer.ts';
import type { SmcOutcome } from './smc-outcome.ts';

const GRANULE = 4096;

/** RSI_MEASUREMENT_READ: X1 to X8 are the register, its first byte lowest. */
export function measurementRead(realm: Realm, registers: RegisterFile): SmcOutcome {
  const index = registers.get(1);
  const measurement = index < 0 ? undefined : realm.measurements.register(index);
  if (measurement === undefined) return answer(registers, RsiStatus.ErrorInput);
  const outcome = answer(registers, RsiStatus.Success);
  const view = new DataView(measurement.buffer, measurement.byteOffset);
  for (let n = 0; n < MEASUREMENT_BYTES / 8; n++) registers.setBig(1 + n, view.getBigUint64(n * 8, true));
  return outcome;
}

/** RSI_MEASUREMENT_EXTEND: X2 bytes from X3 to X10. */
export function measurementExtend(realm: Realm, registers: RegisterFile): SmcOutcome {
  const index = registers.get(1);
  const size = registers.get(2);
  if (index < 1 || index > REM_COUNT || size < 0 || size > MEASUREMENT_BYTES) {
    return answer(registers, RsiStatus.ErrorInput);
  }
  const data = new DataView(new ArrayBuffer(MEASUREMENT_BYTES));
  for (let n = 0; n < MEASUREMENT_BYTES / 8; n++) data.setBigUint64(n * 8, registers.big(3 + n), true);
  realm.measurements.extendRem(index, new Uint8Array(data.buffer, 0, size));
  return answer(registers, RsiStatus.Success);
}

/** RSI_ATTESTATION_TOKEN_INIT: this RMM has no attestation key, so no token can be made. */
export function attestationTokenInit(registers: RegisterFile): SmcOutcome {
  return answer(registers, RsiStatus.ErrorUnknown);
}

/** RSI_ATTESTATION_TOKEN_CONTINUE: the arguments are checked, then there is no operation to continue. */
export function attestationTokenContinue(realm: Realm, registers: RegisterFile): SmcOutcome {
  const ipa = registers.get(1);
  const offset = registers.get(2);
  const size = registers.get(3);
  const inPage = offset >= 0 && size >= 0 && offset < GRANULE && offset + size <= GRANULE;
  const valid = inPage && ipa >= 0 && ipa % GRANULE === 0 && ipa < realm.rtt.parTop;
  return answer(registers, valid ? RsiStatus.ErrorState : RsiStatus.ErrorInput);
}
