// What the list of recordings shows, and how it is searched.
import type { Found, Recording } from "@/api/client";

export interface Line {
  id: string;
  state: string;
  answered_at: string;
  length_ms: number;
  agents: readonly string[];
  parties: readonly string[];
  caller: string;
  dialled: string;
  score: number | null;
  grade: string | null;
  excerpt: string;
}

/** What may be asked of a recording's newest score. */
export const BANDS = {
  none: { reviewed: false },
  any: { reviewed: true },
  good: { score_from: 90 },
  fair: { score_from: 60, score_to: 89 },
  poor: { score_to: 59 },
} as const;
export type Band = keyof typeof BANDS;

export function fromFound(found: Found): Line {
  return { ...found, excerpt: found.excerpt?.text ?? "" };
}

export function fromOwn(own: Recording): Line {
  const { id, state, answered_at, length_ms, agents } = own;
  return { id, state, answered_at, length_ms, agents, parties: own.channels.map((one) => one.party), caller: "", dialled: "", score: null, grade: null, excerpt: "" };
}

export interface Piece {
  text: string;
  isHit: boolean;
}

/** A sentence in pieces, of which some are what was looked for. */
export function pieces(text: string, sought: string): Piece[] {
  const small = text.toLowerCase();
  const wanted = sought.toLowerCase();
  const found: Piece[] = [];
  let from = 0;
  for (let at = wanted ? small.indexOf(wanted) : -1; at >= 0; at = small.indexOf(wanted, from)) {
    if (at > from) found.push({ text: text.slice(from, at), isHit: false });
    from = at + wanted.length;
    found.push({ text: text.slice(at, from), isHit: true });
  }
  if (from < text.length) found.push({ text: text.slice(from), isHit: false });
  return found;
}
