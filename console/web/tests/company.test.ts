import { describe, expect, it } from "vitest";
import type { Company } from "@/api/client";
import { citizenKey, isCompany, isInvited, lastGuest, notCome, standing, type Shown } from "@/desk/company";

function party(name: Shown["party"], place: Shown["place"], over: Partial<Shown> = {}): Shown {
  return { party: name, seat: name === "citizen" ? "" : name, name: "", number: "", units: [], place, may_drop: false, may_hold: false, ...over };
}
function talk(situation: string, parties: Shown[], over: Partial<Company> = {}): Company {
  return { call: "c", situation, owner: "operator", goal: null, asked_by: "", parties, may: [], ...over };
}
const three = [party("citizen", "talking"), party("operator", "talking"), party("expert", "talking", { may_drop: true })];

describe("the company of a talk", () => {
  it("is shown from the first call to somebody else on", () => {
    expect(isCompany(null)).toBe(false);
    expect(isCompany(talk("pair", three.slice(0, 2)))).toBe(false);
    expect(isCompany(talk("asking", three))).toBe(true);
    expect(isCompany(talk("asking", three, { goal: "consult" }))).toBe(false);
  });

  it("tells an invitation from a call of the queue", () => {
    expect(isInvited(talk("asking", three, { goal: "consult" }))).toBe(true);
    expect(isInvited(talk("pair", three, { goal: "listen" }))).toBe(false);
    expect(isInvited(talk("three", three))).toBe(false);
    expect(isInvited(null)).toBe(false);
  });
});

describe("the citizen's key", () => {
  const held = [party("citizen", "held"), party("operator", "talking"), party("expert", "talking")];
  it("fetches back who is on hold", () => {
    expect(citizenKey(talk("consulting", held, { may: ["merge", "swap", "retrieve"] }))).toBe("retrieve");
    expect(citizenKey(talk("transferring", held))).toBeNull();
  });
  it("puts on hold by a swap while another one waits, else alone", () => {
    expect(citizenKey(talk("swapped", three, { may: ["merge", "swap"] }))).toBe("swap");
    expect(citizenKey(talk("three", [party("citizen", "talking", { may_hold: true }), ...three.slice(1)]))).toBe("park");
    expect(citizenKey(talk("pair", three.slice(0, 2)))).toBeNull();
    expect(citizenKey(null)).toBeNull();
  });
});

describe("parties", () => {
  it("keep their time while they stay where they are", () => {
    const first = standing({}, three, 1000);
    const then = standing(first, [party("citizen", "held"), ...three.slice(1, 2)], 2000);
    expect(then).toEqual({ citizen: { place: "held", since: 2000 }, operator: { place: "talking", since: 1000 } });
  });

  it("are taken out in the order opposite to their coming", () => {
    expect(lastGuest(talk("three", three))?.seat).toBe("expert");
    expect(lastGuest(talk("pair", three.slice(0, 2)))).toBeNull();
  });

  it("that were called and did not come are named, unless it was our wish", () => {
    const asking = talk("asking", [party("citizen", "held"), party("operator", "talking"), party("expert", "ringing")]);
    const back = talk("pair", three.slice(0, 2));
    expect(notCome(asking, back, null).map((one) => one.seat)).toEqual(["expert"]);
    expect(notCome(asking, back, "cancel")).toEqual([]);
    expect(notCome(asking, talk("consulting", three), null)).toEqual([]);
    expect(notCome(asking, { ...back, call: "other" }, null)).toEqual([]);
    expect(notCome(null, back, null)).toEqual([]);
  });
});
