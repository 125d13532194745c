// Whom a talk could be taken to: experts, units, seats, who of them is free. Pure: no network, no clock.
import type { RosterUnit, Seat, Target } from "@/api/client";

/** `dialled`: nobody there sits at a seat, the fixed number is called; `refused`: the guard of the trunk says no. */
export type Presence = "free" | "wrap_up" | "paused" | "dialled" | "busy" | "unreachable" | "away" | "refused";
export type Group = "all" | "expert" | "unit" | "seat" | "outside";
export const GROUPS: readonly Group[] = ["all", "expert", "unit", "seat", "outside"];
/** Whom the server is asked to call; of a unit in the roster the server knows who is on duty. */
export type Whom = { seat: string } | { unit: string } | { number: string };

export interface Choice {
  id: string;
  group: Exclude<Group, "all">;
  kind: string;
  title: string;
  /** Units of a person; who would be called, of a unit. */
  detail: string;
  presence: Presence;
  since: string | null;
  /** Nothing while nobody there can be called. */
  whom: Whom | null;
  /** Fixed hours of who comes first in the unit's roster, as the roster writes them. */
  hours: string;
  /** Of a unit: how many are free, and how many there are. */
  free: number;
  all: number;
}

const ORDER: readonly Presence[] = ["free", "wrap_up", "paused", "dialled", "busy", "unreachable", "away", "refused"];
/** Who can be called: a pause keeps calls of the queue away, not a colleague's question. */
const CALLABLE: ReadonlySet<Presence> = new Set<Presence>(["free", "wrap_up", "paused", "dialled"]);

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
export function choices(
  seats: readonly Seat[], inside: readonly string[], owner: string, roster: readonly RosterUnit[] = [], targets: readonly Target[] = [],
): Choice[] {
  const others = seats.filter((one) => !inside.includes(one.seat));
  const people = [...others].sort(sooner).map(person);
  const lines = targets.filter((one) => one.kind !== "emergency" && !inside.includes(one.number)).map(line);
  const bodies = units(others, roster).sort((a, b) => ORDER.indexOf(a.presence) - ORDER.indexOf(b.presence));
  const found = [...bodies, ...people, ...lines];
  return found
    .map((one, place) => ({ one, place }))
    .sort((a, b) => rank(a.one, owner) - rank(b.one, owner) || a.place - b.place)
    .map(({ one }) => one);
}

function rank(one: Choice, owner: string): number {
  const own = owner !== "" && (one.title === owner || one.detail.split("、").includes(owner));
  return (CALLABLE.has(one.presence) ? 0 : 10) + (own ? 0 : 5) + (one.group === "unit" ? 0 : one.group === "expert" ? 1 : one.group === "seat" ? 2 : 3);
}

function line(target: Target): Choice {
  return {
    id: `number-${target.number}`, group: "outside", kind: target.kind, title: target.name || target.number, detail: target.unit,
    presence: target.refused ? "refused" : "dialled", since: null, whom: target.refused ? null : { number: target.number }, hours: "", free: 0, all: 1,
  };
}

function person(seat: Seat): Choice {
  const here = presence(seat);
  return {
    id: `seat-${seat.seat}`, group: seat.kind === "expert" ? "expert" : "seat", kind: seat.kind ?? "operator",
    title: seat.name || seat.seat, detail: seat.units.join("、"), presence: here, since: seat.since ?? null,
    whom: CALLABLE.has(here) ? { seat: seat.seat } : null, hours: "", free: here === "free" ? 1 : 0, all: 1,
  };
}

function units(seats: readonly Seat[], roster: readonly RosterUnit[]): Choice[] {
  const experts = seats.filter((one) => one.kind === "expert");
  const names = [...new Set([...roster.map((one) => one.unit), ...experts.flatMap((one) => one.units)])];
  return names.map((name) => {
    const places = roster.find((one) => one.unit === name)?.places ?? [];
    const here = places.length
      ? seats.filter((one) => places.some((place) => place.seat === one.seat))
      : experts.filter((one) => one.units.includes(name));
    const best = pick(here);
    const first = best ?? [...here].sort(sooner)[0];
    const dialled = !best && places.some((place) => place.number);
    return {
      id: `unit-${name}`, group: "unit", kind: "unit", title: name, detail: best ? best.name || best.seat : dialled ? (places.find((place) => place.number)?.person ?? "") : "",
      presence: dialled ? "dialled" : first ? presence(first) : "away", since: null,
      whom: places.length && (best || dialled) ? { unit: name } : best ? { seat: best.seat } : null,
      hours: places[0]?.hours ?? "", free: here.filter((one) => presence(one) === "free").length, all: Math.max(here.length, places.length),
    };
  });
}

/** Those of a group whose name, number or unit holds every word that was typed. */
export function matching(all: readonly Choice[], group: Group, typed: string): Choice[] {
  const words = typed.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((one) => {
    const text = (one.group === "unit" ? one.title : `${one.title} ${one.detail} ${numberOf(one)}`).toLowerCase();
    return (group === "all" || one.group === group) && words.every((word) => text.includes(word));
  });
}

/** The work number or telephone number of a choice. */
export function numberOf(one: Choice): string {
  return one.group === "unit" ? "" : one.id.slice(one.id.indexOf("-") + 1);
}

/** Hours of a roster in words: `workdays 08:30-12:00` with the names of days put in. */
export function hoursText(hours: string, named: (day: string) => string): string {
  return hours.replace(/[a-z]+/g, (word) => named(word));
}
