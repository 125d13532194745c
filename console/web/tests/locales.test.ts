import { describe, expect, it } from "vitest";
import rawEnglish from "@/locales/en.json?raw";
import rawChinese from "@/locales/zh-CN.json?raw";

const keys = (raw: string): string[] => [...raw.matchAll(/^ {2}"([^"]+)":/gm)].map((found) => found[1] ?? "");
const holes = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

describe("the tables of words", () => {
  it("have each key once: a second one would win unseen", () => {
    for (const raw of [rawChinese, rawEnglish]) {
      expect(keys(raw).length).toBeGreaterThan(500);
      expect(keys(raw).filter((key, at, all) => all.indexOf(key) !== at)).toEqual([]);
    }
  });

  it("fill in the same values in every language", () => {
    const english = JSON.parse(rawEnglish) as Record<string, string>;
    const chinese = JSON.parse(rawChinese) as Record<string, string>;
    const different = Object.keys(chinese).filter((key) => holes(chinese[key] ?? "").join() !== holes(english[key] ?? "").join());
    expect(different).toEqual([]);
  });
});
