// Whether a call is somebody else's: one was called into its talk. Pure.
import type { Company } from "@/api/client";

/**
 * The call that this seat is or was a guest of; empty: its own call, or none. `call` is what the desk shows; `rang`:
 * until now the seat was called into a talk and had not answered, so that without one it was never there.
 */
export function guestOf(before: string, call: string, talk: Company | null, seat: string, rang: boolean): string {
  if (!talk) return rang || (call && call !== before) ? "" : before;
  if (talk.goal !== null) return talk.goal === "listen" || talk.goal === "recall" ? "" : talk.call;
  if (talk.owner !== seat) return talk.call;
  return talk.call === before ? before : ""; // handed over: its ticket stays with who answered first
}
