import { describe, expect, it } from "vitest";
import type { Floor } from "@/api/client";
import { meets, remembered, whyWaiting } from "@/wallboard/waits";

const seat = (state: string, skills: Record<string, number>): Floor["seats"][number] => ({ state, skills }) as Floor["seats"][number];
const needs = [[{ skill: "housing", level: 5 }], [{ skill: "general", level: 3 }, { skill: "english", level: 2 }]];
const waiting = { needs, ahead: 2, offer: "", refused_by: ["8002"] } as unknown as Floor["waiting"][number];

describe("why a call waits", () => {
  it("names the seats that could take it by what they do", () => {
    const seats = [seat("talking", { housing: 5 }), seat("talking", { general: 3, english: 2 }), seat("paused", { housing: 9 }), seat("ready", { general: 9 })];
    const why = whyWaiting(waiting, { seats });
    expect([...why.skilled]).toEqual([["talking", 2], ["paused", 1]]);
    expect([why.ahead, why.isRinging, why.refusedBy]).toEqual([2, false, ["8002"]]);
  });

  it("counts a seat only with every skill of one way at its level", () => {
    expect(meets({ skills: { housing: 4 } }, needs)).toBe(false);
    expect(meets({ skills: { general: 9 } }, needs)).toBe(false);
    expect(meets({ skills: {} }, [[]])).toBe(true);
  });
});

describe("what the chart remembers", () => {
  it("keeps what is new, drops what is old, and skips what says the same", () => {
    let points = remembered([], { at: 0, waiting: 0, talking: 0 }, 1000, 100);
    points = remembered(points, { at: 50, waiting: 0, talking: 0 }, 1000, 100);
    expect(points.length).toBe(1);
    points = remembered(points, { at: 60, waiting: 1, talking: 0 }, 1000, 100);
    points = remembered(points, { at: 200, waiting: 1, talking: 0 }, 1000, 100);
    expect(points.map((one) => one.at)).toEqual([0, 60, 200]);
    expect(remembered(points, { at: 1100, waiting: 1, talking: 0 }, 1000, 100).map((one) => one.at)).toEqual([200, 1100]);
  });
});
