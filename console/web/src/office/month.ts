// A month as whole weeks from Monday on. Pure.

/** The Monday on or before the first of a month (`2026-02`), and how many days until its last week is whole. */
export function monthOf(month: string): { since: string; days: number } {
  const [year = 0, at = 1] = month.split("-").map(Number);
  const first = Date.UTC(year, at - 1, 1);
  const before = (new Date(first).getUTCDay() + 6) % 7;
  const length = new Date(Date.UTC(year, at, 0)).getUTCDate();
  return { since: new Date(first - before * 86_400_000).toISOString().slice(0, 10), days: Math.ceil((before + length) / 7) * 7 };
}

export function weeksOf<T>(days: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(days.length / 7) }, (_, week) => days.slice(week * 7, week * 7 + 7));
}
