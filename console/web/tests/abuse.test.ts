import { expect, it } from "vitest";
import { nextStep } from "@/desk/abuse";

it("goes from a warning over the supervisor to the end, and no further", () => {
  expect(nextStep(null)).toBe("warned");
  expect(nextStep("warned")).toBe("supervisor");
  expect(nextStep("supervisor")).toBe("ended");
  expect(nextStep("ended")).toBeNull();
});
