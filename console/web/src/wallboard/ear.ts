// What a supervisor is to one call: nobody, a listener, a voice in the seat's ear, a party, its owner. Pure.
export type Mode = "idle" | "calling" | "listening" | "whispering" | "talking" | "owner";
export type Wish = "listen" | "whisper" | "quiet" | "barge" | "take-over";

export interface Ear {
  mode: Mode;
  call: string;
  /** What the own telephone rings for. */
  wish: Wish | null;
}

export type News = { kind: "asked"; call: string; wish: Wish } | { kind: "answered" } | { kind: "over" };

export const IDLE: Ear = { mode: "idle", call: "", wish: null };
const AFTER: Record<Wish, Mode> = { listen: "listening", whisper: "whispering", quiet: "listening", barge: "talking", "take-over": "owner" };

export function hear(ear: Ear, news: News): Ear {
  if (news.kind === "over") return IDLE;
  if (news.kind === "answered") return ear.mode === "calling" && ear.wish ? { ...ear, mode: AFTER[ear.wish], wish: null } : ear;
  if (ear.mode === "idle") return { mode: "calling", call: news.call, wish: news.wish };
  return wishes(ear, news.call).includes(news.wish) ? { ...ear, mode: AFTER[news.wish] } : ear;
}

/** What may be asked for a talk now. One call at a time: whoever is in another one has to leave it first. */
export function wishes(ear: Ear, call: string): Wish[] {
  if (ear.mode === "idle") return ["listen", "barge", "take-over"];
  if (ear.call !== call) return [];
  switch (ear.mode) {
    case "listening": return ["whisper", "barge", "take-over"];
    case "whispering": return ["quiet", "barge", "take-over"];
    case "talking": return ["take-over"];
    default: return [];
  }
}
