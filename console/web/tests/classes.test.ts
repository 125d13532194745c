import { describe, expect, it } from "vitest";
import { leaves, pathOf } from "@/tickets/tree";

const TREE = [
  { code: "01", zh: "住房与建设", en: "Housing" },
  { code: "0104", zh: "工程施工", en: "Building sites" },
  { code: "010401", zh: "施工噪声", en: "Noise" },
  { code: "010402", zh: "施工扬尘", en: "Dust" },
];

describe("what a ticket is classed by", () => {
  it("is found by name, by a name above it, and by code, in either language", () => {
    const codes = (find: string, chinese = true): string[] => leaves(TREE, chinese, find).map((one) => one.code);
    expect(codes("")).toEqual(["010401", "010402"]);
    expect(codes("噪声")).toEqual(["010401"]);
    expect(codes("住房")).toEqual(["010401", "010402"]);
    expect(codes(" 010402 ")).toEqual(["010402"]);
    expect(codes("dust", false)).toEqual(["010402"]);
  });

  it("is shown with everything above it, and as it is when the city does not have it any more", () => {
    expect(pathOf(TREE, "010401", true)).toBe("住房与建设 › 工程施工 › 施工噪声");
    expect(pathOf(TREE, "0104", false)).toBe("Housing › Building sites");
    expect(pathOf(TREE, "990101", true)).toBe("990101");
    expect(pathOf(TREE, "", true)).toBe("");
  });
});
