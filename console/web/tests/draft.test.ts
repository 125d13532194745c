import { describe, expect, it } from "vitest";
import type { Ticket } from "@/api/client";
import { appended, changes, missing, opened, rebased, saved, typed } from "@/desk/draft";

function ticket(fields: Partial<Ticket> = {}): Ticket {
  const empty = { matter: "", contact_no: "", incident_time: "", subject_name: "", subject_address: "", event_process: "", demand: "", operator_suggestion: "" };
  return { id: "ticket_1", version: 1, ...empty, ...fields } as Ticket;
}

describe("what is typed into a ticket", () => {
  it("is sent field by field, and nothing else", () => {
    const draft = typed(typed(opened(ticket({ demand: "尽快修复" })), "matter", "路灯"), "matter", "路灯不亮");
    expect(changes(draft)).toEqual({ matter: "路灯不亮" });
  });

  it("stays to be saved when it was typed while a save was under way", () => {
    const before = typed(opened(ticket()), "matter", "路灯");
    const sent = changes(before);
    const after = saved(typed(before, "matter", "路灯不亮"), sent, 2);
    expect([after.version, after.dirty]).toEqual([2, ["matter"]]);
    expect(saved(before, sent, 2).dirty).toEqual([]);
  });

  it("wins over what somebody else wrote meanwhile, and takes theirs where nothing was typed", () => {
    const draft = typed(opened(ticket()), "matter", "路灯不亮");
    const found = rebased(draft, ticket({ version: 4, matter: "路灯", demand: "尽快修复" }));
    expect([found.version, found.texts.matter, found.texts.demand, found.dirty]).toEqual([4, "路灯不亮", "尽快修复", ["matter"]]);
  });

  it("comes back after a crash unless the server has it already", () => {
    const kept = { matter: "路灯不亮", demand: "尽快修复" };
    expect(opened(ticket({ demand: "尽快修复" }), kept).dirty).toEqual(["matter"]);
  });

  it("never sends a masked number back, nor half of one", () => {
    const draft = opened(ticket({ contact_no: "139****5678" }));
    expect(draft.texts.contact_no).toBe("");
    expect(changes(typed(draft, "contact_no", "13"))).toEqual({});
    expect(changes(typed(draft, "contact_no", "13912345678"))).toEqual({ contact_no: "13912345678" });
  });

  it("takes a sentence at its end with one mark between", () => {
    expect(appended("", "路灯不亮")).toBe("路灯不亮");
    expect(appended("路灯不亮", "已有三天")).toBe("路灯不亮，已有三天");
    expect(appended("路灯不亮。 ", "已有三天")).toBe("路灯不亮。已有三天");
  });

  it("is classed by what is chosen, saved like what is written", () => {
    const draft = typed(typed(opened(ticket({ urgency: "normal" })), "request_type", "complaint"), "urgency", "urgent");
    expect(changes(draft)).toEqual({ request_type: "complaint", urgency: "urgent" });
    expect(opened(ticket(), { category_code: "010401" }).dirty).toEqual(["category_code"]);
  });

  it("is submitted only with a matter and a demand", () => {
    expect(missing(opened(ticket()))).toEqual(["matter", "demand"]);
    expect(missing(opened(ticket({ matter: " ", demand: "修复" })))).toEqual(["matter"]);
    expect(missing(opened(ticket({ matter: "路灯不亮", demand: "修复" })))).toEqual([]);
  });
});
