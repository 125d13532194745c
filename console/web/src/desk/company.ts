// Who takes part in the talk, and what the desk offers to do about it. Pure: the server says what may be done.
import type { Company } from "@/api/client";

export type Deed = Company["may"][number];
export type Shown = Company["parties"][number];
/** What a page asks of a talk: the deeds, and those that concern one party. */
export type Wish = Deed | "park" | "drop";

export interface Standing {
  place: string;
  since: number;
}

/** Under which name a party is remembered. */
export function nameOf(party: Pick<Shown, "party" | "seat">): string {
  return party.seat || party.party;
}

/** Since when each party is where it is. */
export function standing(before: Readonly<Record<string, Standing>>, parties: readonly Shown[], now: number): Record<string, Standing> {
  return Object.fromEntries(
    parties.map((one) => {
      const known = before[nameOf(one)];
      return [nameOf(one), known?.place === one.place ? known : { place: one.place, since: now }];
    }),
  );
}

/** Whether there is more to show than the citizen and oneself. */
export function isCompany(talk: Company | null): boolean {
  return talk !== null && talk.situation !== "pair" && talk.goal === null;
}

/** Called by somebody of a talk, not by the queue. */
export function isInvited(talk: Company | null): boolean {
  return talk !== null && talk.goal !== null && talk.goal !== "listen";
}

/** What one key does for the citizen: off hold when on hold, on hold otherwise. */
export function citizenKey(talk: Company | null): Wish | null {
  const citizen = talk?.parties.find((one) => one.party === "citizen");
  if (!talk || !citizen) return null;
  if (citizen.place === "held") return talk.may.includes("retrieve") ? "retrieve" : null;
  if (talk.may.includes("swap")) return "swap";
  return citizen.may_hold ? "park" : null;
}

/** Whom the key for taking somebody out concerns: who came last. */
export function lastGuest(talk: Company | null): Shown | null {
  return talk?.parties.filter((one) => one.may_drop).at(-1) ?? null;
}

/** Who was called and did not come, unless that was our own wish. */
export function notCome(before: Company | null, after: Company | null, wished: Wish | null): Shown[] {
  if (!before || !after || before.call !== after.call || wished === "cancel" || wished === "drop") return [];
  const there = new Set(after.parties.map(nameOf));
  return before.parties.filter((one) => one.place === "ringing" && !there.has(nameOf(one)));
}
