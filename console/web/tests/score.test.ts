import { describe, expect, it } from "vitest";
import { counting, grade, missing, total } from "@/replay/score";

const item = (code: string, points: number) => ({ code, group: "g", points, zh: code, en: code });
const sheet = { passing: 60, good: 90, items: [item("a", 30), item("b", 20)] };

describe("a score sheet", () => {
  it("counts in hundredths and says what is missing", () => {
    expect(missing(sheet, { a: 0 })).toEqual(["b"]);
    expect(total(sheet, { a: 30 }, [])).toBe(60);
    expect(total(sheet, { a: 30, b: 20 }, [])).toBe(100);
  });
  it("is void with a fatal fault", () => {
    expect(total(sheet, { a: 30, b: 20 }, ["leak"])).toBe(0);
    expect(grade(sheet, 0)).toBe("failed");
  });
  it("has grades", () => {
    expect([grade(sheet, 90), grade(sheet, 89), grade(sheet, 60), grade(sheet, 59)]).toEqual(["good", "passed", "passed", "failed"]);
  });
  it("shows the newest review of each reviewer", () => {
    expect(counting([{ by: "x", n: 3 }, { by: "y", n: 2 }, { by: "x", n: 1 }]).map((one) => one.n)).toEqual([3, 2]);
  });
});
