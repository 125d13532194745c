// Windows of guests as people write them: China's time, whatever the browser's is. Pure.
import type { Plan } from "@/api/client";

/** `2026-03-02T09:00:00` in China of a moment. */
export function localOf(moment: string): string {
  return new Date(moment).toLocaleString("sv-SE", { timeZone: "Asia/Shanghai" }).replace(" ", "T");
}

/** The moment of a time in China, to the minute or to the second. */
export function momentOf(local: string): string {
  const found = new Date(`${local}+08:00`);
  return Number.isNaN(found.getTime()) ? "" : found.toISOString();
}

/** The next full hour, for nobody yet. */
export function nextHour(now: number): Plan["guests"][number] {
  const hour = 3_600_000;
  const begins = Math.ceil(now / hour) * hour;
  return { agent: "", begins_at: new Date(begins).toISOString(), ends_at: new Date(begins + hour).toISOString(), title: "" };
}
