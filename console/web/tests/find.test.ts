import { describe, expect, it } from "vitest";
import { pieces } from "@/replay/find";

describe("a sentence that was found", () => {
  it("shows each place of the words, whatever their case", () => {
    expect(pieces("噪音大,施工噪音", "噪音").map((one) => [one.text, one.isHit])).toEqual([
      ["噪音", true], ["大,施工", false], ["噪音", true],
    ]);
    expect(pieces("Wi-Fi", "WI").map((one) => one.isHit)).toEqual([true, false]);
  });

  it("is whole when nothing is looked for", () => {
    expect(pieces("噪音大", "")).toEqual([{ text: "噪音大", isHit: false }]);
  });
});
