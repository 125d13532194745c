import { describe, expect, it } from "vitest";
import { next } from "@/desk/wishes";

const talking = { isThere: true, isHeld: false, isUnsure: false };

describe("what is asked of a talk", () => {
  it("is what is wished, and nothing when all is as wished", () => {
    expect(next({ hold: true, end: false }, talking)).toBe("hold");
    expect(next({ hold: true, end: false }, { ...talking, isHeld: true })).toBe("none");
    expect(next({ hold: false, end: false }, { ...talking, isHeld: true })).toBe("unhold");
    expect(next({ hold: true, end: true }, talking)).toBe("end");
  });

  it("waits while the exchange cannot be reached", () => {
    const away = { ...talking, isThere: false };
    expect(next({ hold: false, end: false }, away)).toBe("none");
    expect(next({ hold: true, end: false }, away)).toBe("later");
    expect(next({ hold: false, end: true }, away)).toBe("later");
  });

  it("is asked again when nobody agreed to it", () => {
    const unsure = { ...talking, isHeld: true, isUnsure: true };
    expect(next({ hold: true, end: false }, unsure)).toBe("again");
    expect(next({ hold: true, end: false }, { ...unsure, isThere: false })).toBe("later");
    expect(next({ hold: false, end: false }, unsure)).toBe("unhold");
  });
});
