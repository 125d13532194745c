// A change of a number from a day on, as the catalogue takes it: the old entry ends the day before, a new one begins. Pure.
import type { NumberEntry } from "@/api/client";

/** What a person may change here. */
export interface Wanted {
  name: string;
  owner_unit: string;
  mode: NumberEntry["mode"];
  status: NumberEntry["status"];
  flow: string;
  hours: string;
  needs: string[];
  note: string;
}

type Row = Record<string, string | number | string[] | null>;

export function wantedOf(entry: NumberEntry): Wanted {
  const { name, owner_unit, mode, status, own_flow: flow, hours, note } = entry;
  return { name, owner_unit, mode, status, flow, hours, note, needs: skills(entry.needs) };
}

function skills(needs: NumberEntry["needs"]): string[] {
  return needs.map((need) => (need.level > 1 ? `${need.skill}:${need.level}` : need.skill));
}

/** The day before, as `2026-11-30`. */
export function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}

/** An entry as the file of an import has it; what is empty is left out. */
export function rowOf(entry: NumberEntry): Row {
  const row: Row = {
    number: entry.number, region: entry.region, valid_from: entry.valid_from, valid_to: entry.valid_to, name: entry.name, owner_unit: entry.owner_unit,
    mode: entry.mode, status: entry.status, cutover_at: entry.cutover_at, transition_until: entry.transition_until, flow: entry.own_flow, hours: entry.hours,
    queue: entry.queue, needs: skills(entry.needs), widen_after_s: entry.widen_after_s, priority: entry.priority, experts: entry.experts,
    external: entry.external, aliases: entry.aliases, ticket_class: entry.ticket_class, note: entry.note, source: entry.source,
  };
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && !value.length)));
}

/**
 * Both entries as they are to be. The same first day replaces the entry. An empty flow is the one of the mode.
 */
export function rowsOfChange(entry: NumberEntry, wanted: Wanted, from: string): Row[] {
  const next: NumberEntry = { ...entry, ...wanted, own_flow: wanted.flow, needs: [], valid_from: from };
  const begun = { ...rowOf(next), ...(wanted.needs.length ? { needs: wanted.needs } : {}) };
  if (entry.valid_from === from) return [begun];
  return [rowOf({ ...entry, valid_to: dayBefore(from) }), begun];
}

/** JSON is YAML as well, so a catalogue can be sent as it is. */
export function fileOf(rows: readonly Row[]): string {
  return JSON.stringify({ numbers: rows });
}

/** Whether an entry holds on a day. */
export function holds(entry: Pick<NumberEntry, "valid_from" | "valid_to">, day: string): boolean {
  return (entry.valid_from ?? "") <= day && day <= (entry.valid_to ?? "9999");
}

/** What the server found wrong, `field: sentence`, by field; what is about none of them apart. */
export function byField<F extends string>(problems: readonly string[], fields: readonly F[]): { at: Partial<Record<F, string[]>>; others: string[] } {
  const at: Partial<Record<F, string[]>> = {};
  const others: string[] = [];
  for (const problem of problems) {
    const split = problem.indexOf(": ");
    const field = fields.find((one) => one === problem.slice(0, split));
    if (field) at[field] = [...(at[field] ?? []), problem.slice(split + 2)];
    else others.push(problem);
  }
  return { at, others };
}
