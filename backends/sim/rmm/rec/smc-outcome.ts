/** How an SMC of plane 0 ends. */
export const SmcOutcome = {
  /** Results are in place; plane 0 continues after the SMC. */
  Resume: 0,
  /** A REC exit is recorded; plane 0 continues after the SMC when the REC is entered again. */
  Exit: 1,
  /** A REC exit is recorded; the SMC is executed again when the REC is entered again. */
  Retry: 2,
  /** An auxiliary plane runs now; plane 0 continues after the SMC when the plane exits. */
  Plane: 3,
} as const;
export type SmcOutcome = (typeof SmcOutcome)[keyof typeof SmcOutcome];
