// Moments and durations as Chinese offices write them, on the server's clock.
import { onScopeDispose, ref, type Ref } from "vue";
import { language } from "@/i18n";

const ZONE = "Asia/Shanghai";
let offset = 0;

/** Learn from an answer how far this machine's clock is off. */
export function learnClock(at: string): void {
  offset = Date.parse(at) - Date.now();
}

export function serverNow(): number {
  return Date.now() + offset;
}

/** The server's time in milliseconds, renewed while the component lives. */
export function useNow(everyMs = 500): Ref<number> {
  const now = ref(serverNow());
  const timer = window.setInterval(() => (now.value = serverNow()), everyMs);
  onScopeDispose(() => window.clearInterval(timer));
  return now;
}

/** Seconds as `mm:ss`, or `h:mm:ss` from an hour on. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${two(minutes)}:${two(whole % 60)}`;
}

export function secondsSince(moment: string | null | undefined, now: number): number {
  return moment ? (now - Date.parse(moment)) / 1000 : 0;
}

export function moment(at: string | null | undefined): string {
  if (!at) return "";
  return new Date(at).toLocaleString(language.value, {
    timeZone: ZONE, hour12: false, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
}

export function timeOfDay(at: string | number): string {
  return new Date(at).toLocaleTimeString(language.value, { timeZone: ZONE, hour12: false });
}

export function day(at: string): string {
  return new Date(at).toLocaleDateString(language.value, { timeZone: ZONE });
}
