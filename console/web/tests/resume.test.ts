import { beforeEach, describe, expect, it } from "vitest";
import { Resume } from "@/desk/resume";

class Memory {
  private readonly kept = new Map<string, string>();
  getItem = (name: string): string | null => this.kept.get(name) ?? null;
  setItem = (name: string, value: string): void => void this.kept.set(name, value);
  removeItem = (name: string): void => void this.kept.delete(name);
}

let memory: Memory;
beforeEach(() => {
  memory = new Memory();
});

describe("a page loaded anew", () => {
  it("answers the call that it talked in, and no other", () => {
    new Resume(memory).see({ call: "call_1", talk: "talking" });
    const next = new Resume(memory);
    expect(next.isWaiting).toBe(true);
    expect(next.see({ call: "", talk: "none" })).toBe("none");
    expect(next.see({ call: "call_2", talk: "ringing" })).toBe("none");
    expect(next.see({ call: "call_1", talk: "ringing" })).toBe("answer");
    expect(next.see({ call: "call_1", talk: "connecting" })).toBe("none");
    expect(next.see({ call: "call_1", talk: "talking" })).toBe("back");
    expect(next.isWaiting).toBe(false);
  });

  it("says once that the call has not come back", () => {
    new Resume(memory).see({ call: "call_1", talk: "held" });
    const next = new Resume(memory);
    expect([next.giveUp(), next.giveUp()]).toEqual(["gone", "none"]);
    expect(new Resume(memory).isWaiting).toBe(false);
  });

  it("has nothing to take up after a call that ended", () => {
    const page = new Resume(memory);
    page.see({ call: "call_1", talk: "talking" });
    page.see({ call: "", talk: "none" });
    expect(new Resume(memory).isWaiting).toBe(false);
    expect(page.see({ call: "call_2", talk: "ringing" })).toBe("none");
  });

  it("remembers a call whose name it learns late", () => {
    const page = new Resume(memory);
    page.see({ call: "", talk: "talking" });
    page.see({ call: "call_1", talk: "talking" });
    expect(new Resume(memory).isWaiting).toBe(true);
  });
});
