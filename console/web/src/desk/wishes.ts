// What a softphone asks of a running talk while its signalling may be away: a change that was not delivered is asked
// again once it is back, and is no reason to end a talk whose sound goes on.
export type Deed = "none" | "later" | "hold" | "unhold" | "again" | "end";

export interface Wishes {
  /** What the person at the page wants. */
  hold: boolean;
  end: boolean;
}

export interface Line {
  /** The telephone is registered: what is asked now reaches the exchange. */
  isThere: boolean;
  /** What was asked last, and whether the exchange has yet to agree to it. */
  isHeld: boolean;
  isUnsure: boolean;
}

/** What is to be asked now. */
export function next(wishes: Wishes, line: Line): Deed {
  const isAsIs = wishes.hold === line.isHeld;
  if (!wishes.end && isAsIs && !line.isUnsure) return "none";
  if (!line.isThere) return "later";
  if (wishes.end) return "end";
  if (isAsIs) return "again";
  return wishes.hold ? "hold" : "unhold";
}
