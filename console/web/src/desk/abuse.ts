// The next step with a citizen who insults: each follows the one before it. Pure.
export const STEPS = ["warned", "supervisor", "ended"] as const;
export type Step = (typeof STEPS)[number];

/** What comes after what was done already; nothing after the end. */
export function nextStep(done: Step | null): Step | null {
  return STEPS[done === null ? 0 : STEPS.indexOf(done) + 1] ?? null;
}
