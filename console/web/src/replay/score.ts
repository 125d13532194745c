// A review as it is being made: what it comes to, and what is missing. Pure; the server counts the same way and has the last word.
import type { Sheet } from "@/api/client";

export type Marks = Record<string, number | undefined>;

export function missing(sheet: Pick<Sheet, "items">, marks: Marks): string[] {
  return sheet.items.filter((item) => marks[item.code] === undefined).map((item) => item.code);
}

/** 0 to 100; a fatal fault makes it 0. Lines without points count as nothing yet. */
export function total(sheet: Pick<Sheet, "items">, marks: Marks, fatal: readonly string[]): number {
  const whole = sheet.items.reduce((sum, item) => sum + item.points, 0);
  const given = sheet.items.reduce((sum, item) => sum + (marks[item.code] ?? 0), 0);
  return fatal.length || !whole ? 0 : Math.round((100 * given) / whole);
}

export function grade(sheet: Pick<Sheet, "good" | "passing">, reached: number): "good" | "passed" | "failed" {
  if (reached >= sheet.good) return "good";
  return reached >= sheet.passing ? "passed" : "failed";
}

/** The newest review of each reviewer counts; the newest first. */
export function counting<T extends { by: string }>(reviews: readonly T[]): T[] {
  return reviews.filter((one, at) => reviews.findIndex((other) => other.by === one.by) === at);
}
