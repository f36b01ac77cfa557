/**
 * Status of an RMI command, X0[7:0] (RMM specification 1.1, B4.4). The meaning of the index, X0[15:8], depends on it.
 */
export const RmiStatus = {
  Success: 0,
  ErrorInput: 1,
  ErrorRealm: 2,
  ErrorRec: 3,
  ErrorRtt: 4,
  ErrorNotSupported: 5,
  ErrorDevice: 6,
  ErrorRttAux: 7,
} as const;

/** X0 of an RMI command that failed with an index: the level at which a walk ended, or the state that was wrong. */
export function rmiResult(status: number, index: number): number {
  return status | (index << 8);
}

/** X0 in readable form, such as `RMI_ERROR_RTT|2`. */
export function describeRmiResult(result: number): string {
  const names = [
    'SUCCESS',
    'ERROR_INPUT',
    'ERROR_REALM',
    'ERROR_REC',
    'ERROR_RTT',
    'ERROR_NOT_SUPPORTED',
    'ERROR_DEVICE',
  ];
  names.push('ERROR_RTT_AUX');
  const name = names[result & 0xff];
  if (result < 0 || name === undefined) return `X0 = ${result}`;
  return `RMI_${name}|${(result >>> 8) & 0xff}`;
}

/** Status of an RSI command, X0 (RMM specification 1.1, B5.4). */
export const RsiStatus = {
  Success: 0,
  ErrorInput: 1,
  ErrorState: 2,
  Incomplete: 3,
  ErrorUnknown: 4,
  ErrorDevice: 5,
} as const;

/** RmiResponse and RsiResponse. */
export const Response = { Accept: 0, Reject: 1 } as const;

/** RIPAS of a protected IPA (RMM specification, A5.2). */
export const Ripas = { Empty: 0, Ram: 1, Destroyed: 2, Dev: 3 } as const;

/** RmiHashAlgorithm and RsiHashAlgorithm. */
export const HashAlgorithm = { Sha256: 0, Sha512: 1 } as const;
