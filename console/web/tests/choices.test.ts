import { describe, expect, it } from "vitest";
import type { Seat } from "@/api/client";
import { choices, hoursText, matching, numberOf, pick, presence } from "@/desk/choices";

function seat(number: string, over: Partial<Seat> = {}): Seat {
  return {
    seat: number, name: `N${number}`, kind: "operator", units: [], phone: number, state: "ready", reason: "", since: `2026-01-01T00:00:${number.slice(-2)}Z`,
    until: null, reachable: true, call: "", pause_asked: "", leaving: false, actions: [], ...over,
  };
}
const expert = (number: string, unit: string, over: Partial<Seat> = {}): Seat => seat(number, { kind: "expert", units: [unit], ...over });

describe("presence", () => {
  it("says who can be asked now", () => {
    expect(presence(seat("8001"))).toBe("free");
    expect(presence(seat("8001", { state: null, reachable: false }))).toBe("away");
    expect(presence(seat("8001", { state: "talking" }))).toBe("busy");
    expect(presence(seat("8001", { state: "offered" }))).toBe("busy");
    expect(presence(seat("8001", { reachable: false }))).toBe("unreachable");
    expect(presence(seat("8001", { state: "paused", reason: "meal" }))).toBe("paused");
    expect(presence(seat("8001", { state: "wrap_up" }))).toBe("wrap_up");
  });
});

describe("pick", () => {
  it("takes who has been free longest, then who only rests", () => {
    expect(pick([seat("8012"), seat("8011"), seat("8010", { state: "paused" })])?.seat).toBe("8011");
    expect(pick([seat("8012", { state: "talking" }), seat("8010", { state: "paused" })])?.seat).toBe("8010");
    expect(pick([seat("8012", { state: "talking" }), seat("8010", { state: null })])).toBeNull();
  });
});

describe("choices", () => {
  const all = [
    seat("8001"), seat("8002"), expert("8011", "Funds"), expert("8012", "Funds", { state: "talking" }), expert("8013", "Law", { state: null }), seat("8003", { state: null }),
  ];

  it("leaves out who is in the talk and puts the call's own unit first", () => {
    const found = choices(all, ["8001"], "Funds");
    expect(found.map((one) => one.id)).toEqual(["unit-Funds", "seat-8011", "seat-8002", "seat-8012", "unit-Law", "seat-8013", "seat-8003"]);
  });

  it("calls of a unit who is free, and says how many there are", () => {
    const [funds] = choices(all, [], "");
    expect(funds).toMatchObject({ group: "unit", title: "Funds", whom: { seat: "8011" }, detail: "N8011", free: 1, all: 2, presence: "free" });
    expect(choices(all, [], "").find((one) => one.title === "Law")).toMatchObject({ whom: null, presence: "away", free: 0, all: 1 });
  });

  it("names nobody to call who talks or is away", () => {
    const seats = Object.fromEntries(choices(all, [], "").filter((one) => one.group !== "unit").map((one) => [one.id, one.whom]));
    expect(seats).toEqual({
      "seat-8001": { seat: "8001" }, "seat-8002": { seat: "8002" }, "seat-8011": { seat: "8011" }, "seat-8012": null, "seat-8013": null, "seat-8003": null,
    });
  });

  it("leaves to the roster who of a unit is called, and dials the fixed number when nobody sits there", () => {
    const place = { rank: 1, person: "P", seat: "8012", number: "", hours: "workdays 08:30-12:00", note: "" };
    const roster = [
      { unit: "Funds", places: [place] }, { unit: "Law", places: [{ ...place, seat: "8013", number: "071760" }] }, { unit: "Health", places: [{ ...place, seat: "8011" }] },
    ];
    const found = Object.fromEntries(choices(all, [], "", roster).map((one) => [one.title, one]));
    expect(found["Funds"]).toMatchObject({ whom: null, presence: "busy", hours: "workdays 08:30-12:00" });
    expect(found["Law"]).toMatchObject({ whom: { unit: "Law" }, presence: "dialled", detail: "P", all: 1 });
    expect(found["Health"]).toMatchObject({ whom: { unit: "Health" }, presence: "free" });
    expect(hoursText("workdays 08:30-12:00; sat 09:00-11:00", (day) => day.toUpperCase())).toBe("WORKDAYS 08:30-12:00; SAT 09:00-11:00");
  });

  it("offers lines outside but for emergencies and those that may not be dialled", () => {
    const target = { number: "12366", name: "Tax", unit: "Taxes", kind: "external", refused: "" } as const;
    const found = choices([], [], "", [], [target, { ...target, number: "110", kind: "emergency" }, { ...target, number: "96988", refused: "night" }]);
    expect(found.map((one) => [numberOf(one), one.presence, one.whom])).toEqual([["12366", "dialled", { number: "12366" }], ["96988", "refused", null]]);
    expect(matching(found, "outside", "12366")).toHaveLength(1);
    expect(choices([], ["12366"], "", [], [target])).toEqual([]);
  });

  it("finds by name, number or unit within a group", () => {
    const found = choices(all, [], "");
    expect(matching(found, "expert", "funds").map((one) => one.id)).toEqual(["seat-8011", "seat-8012"]);
    expect(matching(found, "all", "8002").map((one) => one.id)).toEqual(["seat-8002"]);
    expect(matching(found, "unit", " law ").map((one) => one.id)).toEqual(["unit-Law"]);
    expect(matching(found, "seat", "funds n8011")).toEqual([]);
  });
});
