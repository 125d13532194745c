import { describe, expect, it } from "vitest";
import type { NumberEntry, Profile } from "@/api/client";
import { byField, dayBefore, fileOf, holds, rowsOfChange, wantedOf } from "@/office/change";
import { coverage } from "@/office/coverage";
import { layers, picture, type DrawnNode, type Way } from "@/office/layout";
import { monthOf, weeksOf } from "@/office/month";

const entry: NumberEntry = {
  number: "12329", region: "0717", valid_from: null, valid_to: "2030-12-31", name: "住房公积金", owner_unit: "公积金中心", mode: "dual", mode_name: "双号并行", status: "merged",
  cutover_at: null, transition_until: null, flow: "menu_12329", own_flow: "menu_12329", hours: "office", queue: "general", needs: [{ skill: "housing_fund", level: 3 }], widen_after_s: 20,
  priority: 0, experts: [], external: "", aliases: [], ticket_class: "", note: "", source: "",
};

describe("a change from a day on", () => {
  it("ends the old entry the day before and keeps everything that was not changed", () => {
    const [old, begun] = rowsOfChange(entry, { ...wantedOf(entry), mode: "whole", flow: "" }, "2027-01-01");
    expect(old).toMatchObject({ number: "12329", mode: "dual", flow: "menu_12329", valid_to: "2026-12-31", needs: ["housing_fund:3"] });
    expect(old).not.toHaveProperty("valid_from");
    expect(begun).toMatchObject({ mode: "whole", valid_from: "2027-01-01", valid_to: "2030-12-31", hours: "office", needs: ["housing_fund:3"] });
    expect(begun).not.toHaveProperty("flow");
    expect(JSON.parse(fileOf([old ?? {}]))).toHaveProperty("numbers");
  });
  it("replaces an entry that begins on that day", () => {
    const rows = rowsOfChange({ ...entry, valid_from: "2027-01-01" }, { ...wantedOf(entry), name: "新名" }, "2027-01-01");
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ name: "新名", valid_from: "2027-01-01" });
  });
  it("knows days", () => {
    expect(dayBefore("2028-03-01")).toBe("2028-02-29");
    expect(holds(entry, "2026-01-01")).toBe(true);
    expect(holds(entry, "2031-01-01")).toBe(false);
    expect(holds({ valid_from: "2026-05-01", valid_to: null }, "2026-04-30")).toBe(false);
  });
});

describe("the picture of a flow", () => {
  const node = (name: string): DrawnNode => ({ name, kind: "play", line: 1, prompts: [], detail: "", owner_first: false });
  const way = (source: string, target: string): Way => ({ source, target, label: "next" });
  const nodes = ["a", "b", "c", "d"].map(node);
  const ways = [way("a", "b"), way("a", "c"), way("b", "c"), way("c", "d"), way("a", "d")];
  it("puts every node behind all that lead to it", () => {
    expect([...layers(nodes, ways)]).toEqual([["a", 0], ["b", 1], ["c", 2], ["d", 3]]);
  });
  it("has no two nodes at one place and every way drawn", () => {
    const drawn = picture({ nodes, ways });
    expect(new Set(drawn.nodes.map((one) => `${one.x} ${one.y}`)).size).toBe(4);
    expect(drawn.lines).toHaveLength(5);
    expect(picture({ nodes, ways: [...ways, { source: "a", target: "b", label: "0" }] }).lines[0]?.labels).toEqual(["next", "0"]);
    for (const one of drawn.nodes) expect(one.y).toBeGreaterThan(0);
  });
});

describe("who can answer", () => {
  const agent = (number: string, skills: Record<string, number>, active = true): Profile => ({ agent: number, name: number, kind: "operator", skills, units: [], phone: "", second_phone: "", active });
  it("shows what is asked for and nobody has, first", () => {
    const rows = coverage([agent("1", { housing_fund: 2, english: 4 }), agent("2", { housing_fund: 9 }, false)], [entry]);
    expect(rows[0]).toMatchObject({ skill: "housing_fund", level: 3, numbers: ["12329"], isGap: true });
    expect(rows[0]?.able.map((one) => one.agent)).toEqual(["1"]);
    expect(rows[1]).toMatchObject({ skill: "english", level: 0, isGap: false });
  });
});

describe("a month", () => {
  it("is whole weeks from Monday on", () => {
    expect(monthOf("2026-02")).toEqual({ since: "2026-01-26", days: 35 });
    expect(monthOf("2026-06")).toEqual({ since: "2026-06-01", days: 35 });
    expect(weeksOf([1, 2, 3, 4, 5, 6, 7, 8])).toEqual([[1, 2, 3, 4, 5, 6, 7], [8]]);
  });
});

describe("what the server found wrong", () => {
  it("stands at its field, and apart where it is about none", () => {
    const found = byField(["name: a number needs name", "number: no", "number: at all", "busy: later", "No."], ["number", "name"]);
    expect(found.at).toEqual({ name: ["a number needs name"], number: ["no", "at all"] });
    expect(found.others).toEqual(["busy: later", "No."]);
  });
});
