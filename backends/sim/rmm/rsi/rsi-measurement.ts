import { GRANULE_SIZE } from '../../machine/index.ts';
import type { RegisterFile } from '../abi/register-file.ts';
import { RsiStatus } from '../abi/status.ts';
import { MEASUREMENT_BYTES, REM_COUNT } from '../attestation/measurements.ts';
import type { RecEntry } from '../rec/rec-entry.ts';
import type { SmcOutcome } from '../rec/smc-outcome.ts';

/** RSI_MEASUREMENT_READ: X1 to X8 are the register, its first byte lowest. */
export function measurementRead(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const index = x.get(1);
  const measurement = index < 0 ? undefined : entry.realm.measurements.register(index);
  if (measurement === undefined) return entry.answer(RsiStatus.ErrorInput);
  const outcome = entry.answer(RsiStatus.Success);
  const view = new DataView(measurement.buffer, measurement.byteOffset);
  for (let n = 0; n < MEASUREMENT_BYTES / 8; n++) x.setBig(1 + n, view.getBigUint64(n * 8, true));
  return outcome;
}

/** RSI_MEASUREMENT_EXTEND: X2 bytes from X3 to X10. */
export function measurementExtend(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const index = x.get(1);
  const size = x.get(2);
  if (index < 1 || index > REM_COUNT || size < 0 || size > MEASUREMENT_BYTES) {
    return entry.answer(RsiStatus.ErrorInput);
  }
  const data = new DataView(new ArrayBuffer(MEASUREMENT_BYTES));
  for (let n = 0; n < MEASUREMENT_BYTES / 8; n++) data.setBigUint64(n * 8, x.big(3 + n), true);
  entry.realm.measurements.extendRem(index, new Uint8Array(data.buffer, 0, size));
  return entry.answer(RsiStatus.Success);
}

/** RSI_ATTESTATION_TOKEN_INIT: fails, since this RMM has no attestation key. */
export function attestationTokenInit(entry: RecEntry): SmcOutcome {
  return entry.answer(RsiStatus.ErrorUnknown);
}

/** RSI_ATTESTATION_TOKEN_CONTINUE: checks the arguments, then fails, since no operation can be in progress. */
export function attestationTokenContinue(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const ipa = x.get(1);
  const offset = x.get(2);
  const size = x.get(3);
  const inPage = offset >= 0 && size >= 0 && offset < GRANULE_SIZE && offset + size <= GRANULE_SIZE;
  const valid = inPage && ipa >= 0 && ipa % GRANULE_SIZE === 0 && ipa < entry.realm.rtt.parTop;
  return entry.answer(valid ? RsiStatus.ErrorState : RsiStatus.ErrorInput);
}
