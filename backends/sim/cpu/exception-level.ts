/** EL0 to EL3. */
export type ExceptionLevel = 0 | 1 | 2 | 3;
