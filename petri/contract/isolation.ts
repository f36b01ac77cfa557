/**
 * The isolation types a test can ask for, named as OpenVMM names them: `none` is an ordinary VM, `vbs` a VM isolated by
 * virtualization-based security, `snp` AMD SEV-SNP, `tdx` Intel TDX, `cca` a realm of the Arm Confidential Compute
 * Architecture.
 */
export const isolationTypes = ['none', 'vbs', 'snp', 'tdx', 'cca'] as const;

/** One of `isolationTypes`. */
export type IsolationType = (typeof isolationTypes)[number];

/** Whether a word names an isolation type. */
export function isIsolationType(value: string): value is IsolationType {
  return (isolationTypes as readonly string[]).includes(value);
}
