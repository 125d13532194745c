// Why a call waits, out of what the floor knows. Pure.
import type { Floor, Step } from "@/api/client";

type Waiting = Floor["waiting"][number];
type Seat = Floor["seats"][number];

export interface Why {
  /** Skills that are needed, one list per way to meet them. */
  needs: Waiting["needs"];
  /** Signed-in seats that meet one of them, by state. */
  skilled: Map<string, number>;
  ahead: number;
  isRinging: boolean;
  refusedBy: string[];
}

/** Whether a seat meets all of one of the lists. */
export function meets(seat: Pick<Seat, "skills">, needs: Waiting["needs"]): boolean {
  return needs.some((all) => all.every((need) => (seat.skills[need.skill] ?? 0) >= need.level));
}

export function whyWaiting(call: Waiting, floor: Pick<Floor, "seats">): Why {
  const skilled = new Map<string, number>();
  for (const seat of floor.seats.filter((one) => meets(one, call.needs))) {
    skilled.set(seat.state, (skilled.get(seat.state) ?? 0) + 1);
  }
  return { needs: call.needs, skilled, ahead: call.ahead, isRinging: call.offer !== "", refusedBy: call.refused_by };
}

export interface Point {
  at: number;
  waiting: number;
  talking: number;
}

/** The last minutes only, and a point only when it says something new or enough time has gone by. */
export function remembered(points: readonly Point[], next: Point, spanMs: number, everyMs: number): Point[] {
  const last = points.at(-1);
  const isNew = !last || last.waiting !== next.waiting || last.talking !== next.talking || next.at - last.at >= everyMs;
  const kept = points.filter((point) => next.at - point.at <= spanMs);
  return isNew ? [...kept, next] : kept;
}

/** Steps as people read them: of a run through the menus only where it came to, and no change of the talk that says nothing. */
export function told(steps: readonly Step[]): Step[] {
  const last = (place: number): boolean => steps[place + 1]?.what !== "stepped";
  return steps.filter((step, place) => (step.what === "stepped" ? last(place) : step.what !== "talk" || step.detail !== ""));
}
