import { describe, expect, it } from "vitest";
import { hear, IDLE, wishes, type Ear, type News } from "@/wallboard/ear";
import { told } from "@/wallboard/waits";

const after = (...news: News[]): Ear => news.reduce(hear, IDLE);
const listen: News = { kind: "asked", call: "c", wish: "listen" };
const answered: News = { kind: "answered" };

describe("a supervisor's ear", () => {
  it("listens only once the own telephone was picked up", () => {
    expect(after(listen)).toEqual({ mode: "calling", call: "c", wish: "listen" });
    expect(after(listen, answered).mode).toBe("listening");
    expect(after({ kind: "asked", call: "c", wish: "take-over" }, answered).mode).toBe("owner");
  });
  it("goes from listening to a whisper, back, into the talk and takes over", () => {
    const whisper = after(listen, answered, { kind: "asked", call: "c", wish: "whisper" });
    expect(whisper.mode).toBe("whispering");
    expect(hear(whisper, { kind: "asked", call: "c", wish: "quiet" }).mode).toBe("listening");
    const inside = hear(whisper, { kind: "asked", call: "c", wish: "barge" });
    expect(inside.mode).toBe("talking");
    expect(hear(inside, { kind: "asked", call: "c", wish: "take-over" }).mode).toBe("owner");
  });
  it("is in one call at a time", () => {
    const busy = after(listen, answered);
    expect(wishes(busy, "other")).toEqual([]);
    expect(hear(busy, { kind: "asked", call: "other", wish: "listen" })).toBe(busy);
  });
  it("asks nothing that makes no sense", () => {
    expect(wishes(IDLE, "c")).toEqual(["listen", "barge", "take-over"]);
    expect(wishes(after(listen), "c")).toEqual([]);
    expect(hear(after(listen, answered), { kind: "asked", call: "c", wish: "quiet" }).mode).toBe("listening");
  });
  it("is nobody's when the telephone was put down, whatever it did", () => {
    expect(after(listen, { kind: "over" })).toBe(IDLE);
    expect(after(listen, answered, { kind: "over" })).toBe(IDLE);
  });
});

describe("a call's steps", () => {
  const step = (what: string, detail = ""): { what: string; detail: string; at: string; seat: string } => ({ what, detail, at: "", seat: "" });
  it("tell of a run through the menus only where it came to", () => {
    const shown = told([step("arrived"), step("stepped", "a"), step("stepped", "b"), step("queued"), step("talk"), step("talk", "merge")]);
    expect(shown.map((one) => one.what + one.detail)).toEqual(["arrived", "steppedb", "queued", "talkmerge"]);
  });
});
