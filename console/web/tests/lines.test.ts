import { describe, expect, it } from "vitest";
import type { LiveLine } from "@/api/client";
import { isAtEnd, merged } from "@/live/lines";

function line(id: string, start_ms: number, text = id): LiveLine {
  return { id, party: "citizen", agent: "", start_ms, end_ms: start_ms + 500, text, confidence: 1, uncertain: false, is_gap: false };
}
const texts = (lines: LiveLine[]): string[] => lines.map((one) => one.text);

describe("the words of a talk", () => {
  it("stand in the order in which they were said, whoever was understood first", () => {
    const known = merged([], { is_whole: true, segments: [line("0.0", 0), line("0.1", 4000)] });
    expect(texts(merged(known, { is_whole: false, segments: [line("1.0", 2000)] }))).toEqual(["0.0", "1.0", "0.1"]);
  });
  it("become other ones when a number turns out to be one", () => {
    const known = [line("0.0", 0, "一三九"), line("0.1", 900)];
    expect(texts(merged(known, { is_whole: false, segments: [line("0.0", 0, "***")] }))).toEqual(["***", "0.1"]);
  });
  it("begin anew when the server does", () => {
    expect(texts(merged([line("0.0", 0)], { is_whole: true, segments: [line("0.7", 9000)] }))).toEqual(["0.7"]);
  });
});

describe("whoever reads the newest line", () => {
  it("goes on doing so, and who has scrolled back does not", () => {
    expect(isAtEnd({ scrollTop: 600, clientHeight: 400, scrollHeight: 1010 })).toBe(true);
    expect(isAtEnd({ scrollTop: 100, clientHeight: 400, scrollHeight: 1010 })).toBe(false);
  });
});
