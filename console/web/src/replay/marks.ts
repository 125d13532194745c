// What can be read off a waveform and its transcript. Pure.
import type { Segment } from "@/api/client";

export interface Span {
  fromMs: number;
  toMs: number;
}

const LOUD = 0.02;
const SHORTEST_SILENCE_MS = 4000;
const SHORTEST_OVERLAP_MS = 800;
/** Pauses between words are no silence. */
const BRIDGE_MS = 400;

/** Stretches in which one row is loud, with short pauses bridged. */
export function loudSpans(peaks: readonly number[], stepMs: number): Span[] {
  const spans: Span[] = [];
  peaks.forEach((peak, place) => {
    if (peak < LOUD) return;
    const fromMs = place * stepMs;
    const last = spans.at(-1);
    if (last && fromMs - last.toMs <= BRIDGE_MS) last.toMs = fromMs + stepMs;
    else spans.push({ fromMs, toMs: fromMs + stepMs });
  });
  return spans;
}

/** Nobody says anything for long. */
export function silences(rows: readonly (readonly number[])[], stepMs: number, lengthMs: number): Span[] {
  const anyone = (rows[0] ?? []).map((_, place) => Math.max(...rows.map((row) => row[place] ?? 0)));
  const found: Span[] = [];
  let fromMs = 0;
  for (const span of [...loudSpans(anyone, stepMs), { fromMs: lengthMs, toMs: lengthMs }]) {
    if (span.fromMs - fromMs >= SHORTEST_SILENCE_MS) found.push({ fromMs, toMs: span.fromMs });
    fromMs = span.toMs;
  }
  return found;
}

/** Two parties are loud at once for longer than a yes. */
export function overlaps(rows: readonly (readonly number[])[], stepMs: number): Span[] {
  const spans = rows.map((row) => loudSpans(row, stepMs));
  const found: Span[] = [];
  spans.forEach((mine, place) => {
    for (const theirs of spans.slice(place + 1)) {
      for (const a of mine) for (const b of theirs) {
        const fromMs = Math.max(a.fromMs, b.fromMs);
        const toMs = Math.min(a.toMs, b.toMs);
        if (toMs - fromMs >= SHORTEST_OVERLAP_MS) found.push({ fromMs, toMs });
      }
    }
  });
  return found.sort((a, b) => a.fromMs - b.fromMs);
}

/** The sentence that is said at a moment, or was said last; -1 before the first. */
export function sentenceAt(segments: readonly Pick<Segment, "start_ms">[], ms: number): number {
  return segments.findLastIndex((segment) => segment.start_ms <= ms);
}
