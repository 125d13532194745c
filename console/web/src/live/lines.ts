// What is known of a talk's words after another look. Pure.
import type { LiveLine, LiveWords } from "@/api/client";

/** Lines in the order in which they were said; one that comes again has become another one. */
export function merged(known: readonly LiveLine[], look: Pick<LiveWords, "is_whole" | "segments">): LiveLine[] {
  const lines = new Map(look.is_whole ? [] : known.map((line) => [line.id, line]));
  for (const line of look.segments) lines.set(line.id, line);
  return [...lines.values()].sort((a, b) => a.start_ms - b.start_ms || a.id.localeCompare(b.id));
}

/** Whether somebody who reads sees the end, so that the newest line may be shown to him. */
export function isAtEnd(box: Pick<HTMLElement, "scrollTop" | "clientHeight" | "scrollHeight">): boolean {
  return box.scrollTop + box.clientHeight >= box.scrollHeight - 48;
}
