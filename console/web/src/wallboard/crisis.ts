// The crisis notice as a step of a queue's plan: the first thing that whoever begins to wait is told. Pure.
import type { Plan, PlanBody } from "@/api/client";

export const NOTICE = "crisis";
type Step = Plan["steps"][number];
const isNotice = (step: Step): boolean => step.does === "prompt" && step.after_s === 0 && step.prompt !== "";

/** The prompt that is said at once to whoever waits; empty: none. */
export function noticeOf(plan: Pick<Plan, "steps">): string {
  return plan.steps.find(isNotice)?.prompt ?? "";
}

/** The plan with that notice, or without any; everything else stays. */
export function withNotice(plan: Plan, prompt: string): PlanBody {
  const others = plan.steps.filter((step) => !isNotice(step));
  const notice: Step[] = prompt ? [{ after_s: 0, does: "prompt", every_s: 0, needs: "", by_s: 0, prompt, number: "" }] : [];
  return bodyOf({ ...plan, steps: [...notice, ...others] });
}

const POSSIBLE = ["widen", "raise", "position", "prompt", "call_back", "overflow"] as const;
type Does = (typeof POSSIBLE)[number];
const canDo = (does: string): does is Does => POSSIBLE.some((one) => one === does);

export function bodyOf(plan: Pick<Plan, "ring" | "capacity" | "steps" | "rating" | "choice" | "own_s" | "hours" | "closed_to" | "closed_prompt" | "call_back_hours" | "guests">): PlanBody {
  const steps = plan.steps.flatMap((step) => (canDo(step.does) ? [{ ...step, does: step.does }] : []));
  return { ring: plan.ring, capacity: plan.capacity, rating: plan.rating, choice: plan.choice, own_s: typeof plan.own_s === "number" ? plan.own_s : null, hours: plan.hours, closed_to: plan.closed_to, closed_prompt: plan.closed_prompt, call_back_hours: plan.call_back_hours, guests: plan.guests, steps };
}
