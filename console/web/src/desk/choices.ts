// Whom a talk could be taken to: experts, units, seats, who of them is free. Pure: no network, no clock.
import type { Seat } from "@/api/client";

export type Presence = "free" | "wrap_up" | "paused" | "busy" | "unreachable" | "away";
export type Group = "all" | "expert" | "unit" | "seat";
export const GROUPS: readonly Group[] = ["all", "expert", "unit", "seat"];

export interface Choice {
  id: string;
  group: Exclude<Group, "all">;
  kind: string;
  title: string;
  /** Units of a person; who would be called, of a unit. */
  detail: string;
  presence: Presence;
  since: string | null;
  /** Whom to call; empty while nobody there can be called. */
  seat: string;
  /** Of a unit: how many are free, and how many there are. */
  free: number;
  all: number;
}

const ORDER: readonly Presence[] = ["free", "wrap_up", "paused", "busy", "unreachable", "away"];
/** Who can be called: a pause keeps calls of the queue away, not a colleague's question. */
const CALLABLE: ReadonlySet<Presence> = new Set<Presence>(["free", "wrap_up", "paused"]);

export function presence(seat: Pick<Seat, "state" | "reachable">): Presence {
  if (!seat.state) return "away";
  if (seat.state === "offered" || seat.state === "talking") return "busy";
  if (!seat.reachable || seat.state === "unreachable") return "unreachable";
  return seat.state === "ready" ? "free" : seat.state;
}

/** Of those who can be called: free ones first, and of them who has been free longest. */
export function pick(seats: readonly Seat[]): Seat | null {
  const able = seats.filter((one) => CALLABLE.has(presence(one)));
  return able.sort(sooner)[0] ?? null;
}

function sooner(one: Seat, other: Seat): number {
  const rank = ORDER.indexOf(presence(one)) - ORDER.indexOf(presence(other));
  return rank || (one.since ?? "").localeCompare(other.since ?? "") || one.seat.localeCompare(other.seat);
}

/** Everybody who could be asked, but for who takes part already. The unit that the call belongs to comes first. */
export function choices(seats: readonly Seat[], inside: readonly string[], owner: string): Choice[] {
  const others = seats.filter((one) => !inside.includes(one.seat));
  const people = [...others].sort(sooner).map(person);
  const found = [...units(others), ...people];
  return found
    .map((one, place) => ({ one, place }))
    .sort((a, b) => rank(a.one, owner) - rank(b.one, owner) || a.place - b.place)
    .map(({ one }) => one);
}

function rank(one: Choice, owner: string): number {
  const own = owner !== "" && (one.title === owner || one.detail.split("、").includes(owner));
  return (CALLABLE.has(one.presence) ? 0 : 10) + (own ? 0 : 5) + (one.group === "unit" ? 0 : one.group === "expert" ? 1 : 2);
}

function person(seat: Seat): Choice {
  const here = presence(seat);
  return {
    id: `seat-${seat.seat}`, group: seat.kind === "expert" ? "expert" : "seat", kind: seat.kind ?? "operator",
    title: seat.name || seat.seat, detail: seat.units.join("、"), presence: here, since: seat.since ?? null,
    seat: CALLABLE.has(here) ? seat.seat : "", free: here === "free" ? 1 : 0, all: 1,
  };
}

function units(seats: readonly Seat[]): Choice[] {
  const experts = seats.filter((one) => one.kind === "expert");
  const names = [...new Set(experts.flatMap((one) => one.units))];
  return names.map((name) => {
    const here = experts.filter((one) => one.units.includes(name));
    const best = pick(here);
    const first = best ?? [...here].sort(sooner)[0];
    return {
      id: `unit-${name}`, group: "unit", kind: "unit", title: name, detail: best ? best.name || best.seat : "",
      presence: first ? presence(first) : "away", since: null, seat: best?.seat ?? "",
      free: here.filter((one) => presence(one) === "free").length, all: here.length,
    };
  });
}

/** Those of a group whose name, number or unit holds every word that was typed. */
export function matching(all: readonly Choice[], group: Group, typed: string): Choice[] {
  const words = typed.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((one) => {
    const text = (one.group === "unit" ? one.title : `${one.title} ${one.detail} ${one.id.slice(5)}`).toLowerCase();
    return (group === "all" || one.group === group) && words.every((word) => text.includes(word));
  });
}
