// A page that is loaded anew in the middle of a call takes it up again: the server asks this seat first. What a page
// needs for that outlives it in the tab's own memory.
export type Step = "none" | "answer" | "back" | "gone";

export interface Seen {
  /** The call that rings or talks at the seat, as the server knows it. */
  call: string;
  talk: "none" | "ringing" | "connecting" | "talking" | "held";
}

/** How long the call may take to ring here again. The server asks others after 8 s. */
export const PATIENCE_MS = 12_000;
const KEPT = "hotline.talking";

export class Resume {
  /** The call that the earlier page talked in; empty: there is nothing to take up. */
  private lost: string;

  constructor(private readonly memory: Pick<Storage, "getItem" | "setItem" | "removeItem">) {
    this.lost = memory.getItem(KEPT) ?? "";
  }

  get isWaiting(): boolean {
    return this.lost !== "";
  }

  /** What to do about what is seen now. */
  see(seen: Seen): Step {
    if (seen.talk === "talking" || seen.talk === "held") {
      if (seen.call) this.memory.setItem(KEPT, seen.call);
      if (!this.lost) return "none";
      this.lost = "";
      return "back";
    }
    if (!this.lost) {
      if (seen.talk === "none") this.memory.removeItem(KEPT);
      return "none";
    }
    return seen.talk === "ringing" && seen.call === this.lost ? "answer" : "none";
  }

  /** It has not come back in time. */
  giveUp(): Step {
    if (!this.lost) return "none";
    this.lost = "";
    this.memory.removeItem(KEPT);
    return "gone";
  }
}
