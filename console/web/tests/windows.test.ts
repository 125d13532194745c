import { describe, expect, it } from "vitest";
import { localOf, momentOf, nextHour } from "@/office/windows";

describe("a guest's window", () => {
  it("is written in China's time", () => {
    expect(localOf("2026-03-02T16:30:05Z")).toBe("2026-03-03T00:30:05");
    expect(momentOf("2026-03-03T00:30:05")).toBe("2026-03-02T16:30:05.000Z");
    expect(momentOf("2026-03-03T00:30")).toBe("2026-03-02T16:30:00.000Z");
    expect(momentOf("")).toBe("");
  });
  it("begins as the next full hour", () => {
    expect(nextHour(Date.parse("2026-03-02T09:10:00Z"))).toMatchObject({ begins_at: "2026-03-02T10:00:00.000Z", ends_at: "2026-03-02T11:00:00.000Z" });
  });
});
