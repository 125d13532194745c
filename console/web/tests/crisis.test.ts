import { describe, expect, it } from "vitest";
import type { Plan } from "@/api/client";
import { noticeOf, withNotice } from "@/wallboard/crisis";

const position: Plan["steps"][number] = { after_s: 45, does: "position", every_s: 60, needs: "", by_s: 0, prompt: "", number: "" };
const guest: Plan["guests"][number] = { agent: "8080", begins_at: "2026-03-02T09:00:00Z", ends_at: "2026-03-02T11:00:00Z", title: "Mayor" };
const plan: Plan = { queue: "general", own: false, ring: 2, capacity: 30, rating: true, choice: "fewest_calls", own_s: 20, hours: "workdays 08:30-12:00", closed_to: "general", closed_prompt: "out_of_hours", call_back_hours: "08:30-18:00", guests: [guest], steps: [position] };

describe("a crisis notice", () => {
  it("comes before everything else and leaves the plan as it is", () => {
    const body = withNotice(plan, "crisis");
    expect(body).toMatchObject({ ring: 2, capacity: 30, rating: true, choice: "fewest_calls", own_s: 20, hours: "workdays 08:30-12:00", closed_to: "general", closed_prompt: "out_of_hours", call_back_hours: "08:30-18:00", guests: [guest] });
    expect(body.steps?.map((step) => step.prompt ?? "")).toEqual(["crisis", ""]);
    expect(noticeOf({ steps: body.steps as Plan["steps"] })).toBe("crisis");
  });
  it("is replaced, not said twice, and taken away again", () => {
    const on = { ...plan, steps: withNotice(plan, "crisis").steps as Plan["steps"] };
    expect(withNotice(on, "waiting").steps?.map((step) => step.prompt ?? "")).toEqual(["waiting", ""]);
    expect(withNotice(on, "").steps).toEqual([position]);
    expect(noticeOf(plan)).toBe("");
  });
});
