import { describe, expect, it } from "vitest";
import type { Company } from "@/api/client";
import { guestOf } from "@/expert/guest";

function talk(over: Partial<Company>): Company {
  return { call: "c1", situation: "three", owner: "8001", goal: null, asked_by: "", parties: [], may: [], ...over };
}

describe("a guest of a talk", () => {
  it("is whoever is called into it, before and after the answer", () => {
    expect(guestOf("", "c1", talk({ goal: "consult" }), "8011", false)).toBe("c1");
    expect(guestOf("", "c1", talk({ goal: "transfer", owner: "8001" }), "8011", false)).toBe("c1");
    expect(guestOf("c1", "c1", talk({}), "8011", false)).toBe("c1");
  });
  it("stays one when the call is handed over, and in the wrap-up", () => {
    expect(guestOf("c1", "c1", talk({ owner: "8011" }), "8011", false)).toBe("c1");
    expect(guestOf("c1", "", null, "8011", false)).toBe("c1");
  });
  it("is nobody who answers for the call, listens, or is called back", () => {
    expect(guestOf("", "c1", talk({ situation: "pair" }), "8001", false)).toBe("");
    expect(guestOf("c0", "c1", talk({ situation: "pair" }), "8001", false)).toBe("");
    expect(guestOf("", "c1", talk({ goal: "listen" }), "8101", false)).toBe("");
    expect(guestOf("", "c1", talk({ goal: "recall" }), "8001", false)).toBe("");
  });
  it("was none who never answered", () => {
    expect(guestOf("c1", "", null, "8011", true)).toBe("");
  });
  it("is over with the next call of one's own", () => {
    expect(guestOf("c1", "c2", null, "8011", false)).toBe("");
  });
});
