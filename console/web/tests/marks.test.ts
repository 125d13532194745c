import { describe, expect, it } from "vitest";
import { loudSpans, overlaps, sentenceAt, silences } from "@/replay/marks";

const row = (...parts: [count: number, value: number][]): number[] => parts.flatMap(([count, value]) => Array<number>(count).fill(value));

describe("marks of a recording", () => {
  it("bridges the pauses between words", () => {
    expect(loudSpans(row([5, 0.3], [3, 0], [5, 0.3], [9, 0], [2, 0.3]), 100)).toEqual([{ fromMs: 0, toMs: 1300 }, { fromMs: 2200, toMs: 2400 }]);
  });

  it("finds where nobody says anything, at the end too", () => {
    const rows = [row([10, 0.3], [100, 0]), row([50, 0], [10, 0.3], [50, 0])];
    expect(silences(rows, 100, 11000)).toEqual([{ fromMs: 1000, toMs: 5000 }, { fromMs: 6000, toMs: 11000 }]);
  });

  it("finds where two talk at once, but not a short yes", () => {
    const rows = [row([30, 0.3], [30, 0]), row([20, 0], [40, 0.3])];
    expect(overlaps(rows, 100)).toEqual([{ fromMs: 2000, toMs: 3000 }]);
    expect(overlaps([row([10, 0.3]), row([5, 0], [5, 0.3])], 100)).toEqual([]);
  });

  it("knows which sentence is being said", () => {
    const segments = [{ start_ms: 100 }, { start_ms: 900 }];
    expect([50, 100, 899, 900, 5000].map((ms) => sentenceAt(segments, ms))).toEqual([-1, 0, 0, 1, 1]);
  });
});
