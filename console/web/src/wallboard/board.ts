// The floor as a supervisor sees it, looked at again whenever something changed.
import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";
import { get, post, put, type Call, type FigureRow, type Figures, type Floor, type Plan, type Queue, type Reason, type Seat, type Strain, type Stretch } from "@/api/client";
import { named, t } from "@/i18n";
import { coalesced } from "@/api/feed";
import { learnClock, serverNow } from "@/time";
import { noticeOf, withNotice } from "./crisis";
import { remembered, whyWaiting, type Point, type Why } from "./waits";

export const SPAN_MS = 15 * 60_000;
const EVERY_MS = 5000;
const FIGURES_EVERY_MS = 10_000;
const STRETCH_MINUTES = 15;

/** Hours since midnight in China, as the day's figures are asked for; at least one stretch, at most a day. */
export function hoursOfDay(now: number): number {
  const zone = 8 * 3_600_000;
  return Math.min(24, Math.max(STRETCH_MINUTES / 60, ((now + zone) % 86_400_000) / 3_600_000));
}

export const useBoard = defineStore("board", () => {
  const floor = shallowRef<Floor | null>(null);
  const seats = shallowRef<Seat[]>([]);
  const queues = shallowRef<Queue[]>([]);
  const calls = shallowRef<Call[]>([]);
  const figures = shallowRef<Figures | null>(null);
  const reasons = ref<Reason[]>([]);
  const points = shallowRef<Point[]>([]);
  const byQueue = shallowRef<FigureRow[]>([]);
  const byNumber = shallowRef<FigureRow[]>([]);
  const byUnit = shallowRef<FigureRow[]>([]);
  const day = shallowRef<Stretch[]>([]);
  const plans = shallowRef<Plan[]>([]);
  const strains = shallowRef<Map<string, Strain>>(new Map());
  /** Dialled number to the line's name. */
  const lines = shallowRef<Map<string, string>>(new Map());
  let figuresAt = 0;

  const present = computed(() => seats.value.filter((seat) => seat.state));
  const waiting = computed(() => queues.value.reduce((sum, queue) => sum + queue.waiting + queue.ringing, 0));
  const longest = computed(() => {
    const since = floor.value?.waiting.filter((call) => !call.call_back).map((call) => Date.parse(call.waiting_since)) ?? [];
    return since.length ? Math.min(...since) : 0;
  });
  const talking = computed(() => present.value.filter((seat) => seat.call && seat.state !== "offered").length);
  const ready = computed(() => present.value.filter((seat) => seat.state === "ready").length);

  const look = coalesced(async () => {
    const [nextFloor, nextSeats, nextQueues, nextCalls] = await Promise.all([
      get("/api/v1/floor"), get("/api/v1/seats", { query: { limit: 500 } }), get("/api/v1/queues"), get("/api/v1/calls", { query: { live: true, limit: 200 } }),
    ]);
    learnClock(nextFloor.at);
    floor.value = nextFloor;
    seats.value = nextSeats.items;
    queues.value = nextQueues.items;
    calls.value = nextCalls.items;
    note();
    if (Date.now() - figuresAt > FIGURES_EVERY_MS) {
      figuresAt = Date.now();
      await count();
    }
  });

  async function count(): Promise<void> {
    const hours = hoursOfDay(serverNow());
    const [all, queuesNow, numbers, units, stretches, strain] = await Promise.all([
      get("/api/v1/kpis", { query: { hours } }),
      get("/api/v1/kpis/by/{by}", { path: { by: "queue" }, query: { hours } }),
      get("/api/v1/kpis/by/{by}", { path: { by: "dialled" }, query: { hours } }),
      get("/api/v1/kpis/by/{by}", { path: { by: "unit" }, query: { hours } }),
      get("/api/v1/kpis/day", { query: { hours, minutes: STRETCH_MINUTES } }),
      get("/api/v1/floor/strain"),
    ]);
    figures.value = all;
    byQueue.value = queuesNow.items;
    byNumber.value = numbers.items;
    byUnit.value = units.items;
    day.value = stretches.items;
    strains.value = new Map(strain.items.map((one) => [one.seat, one]));
  }

  function note(): void {
    points.value = remembered(points.value, { at: serverNow(), waiting: waiting.value, talking: talking.value }, SPAN_MS, EVERY_MS);
  }

  async function start(): Promise<void> {
    await look();
    reasons.value = (await get("/api/v1/pause-reasons")).items;
    const found = await get("/api/v1/numbers", { query: { limit: 500 } });
    await lookPlans();
    lines.value = new Map(found.items.map((one) => [one.number, one.name]));
  }

  /** A call in one line: who, on which number, with whom. */
  function describe(call: string): string {
    const found = calls.value.find((one) => one.call === call);
    if (!found) return "";
    const seat = seats.value.find((one) => one.seat === found.seat);
    return [found.caller || t("call.hidden"), found.line_name || found.dialled, `${found.seat} ${seat?.name ?? ""}`].join(" · ");
  }

  function queueName(queue: string): string {
    const name = named("queue", queue);
    return name === queue ? (queues.value.find((one) => one.queue === queue)?.name ?? queue) : name;
  }

  function figure(name: string): number | null {
    return figures.value?.items.find((one) => one.name === name)?.value ?? null;
  }

  function why(call: string): Why | null {
    const found = floor.value?.waiting.find((one) => one.call === call);
    return found && floor.value ? whyWaiting(found, floor.value) : null;
  }

  async function force(seat: string, action: "ready" | "pause" | "out"): Promise<void> {
    const path = { seat };
    if (action === "ready") await post("/api/v1/seats/{seat}/resume", { path });
    else if (action === "pause") await post("/api/v1/seats/{seat}/pause", { path, body: { reason: "busy" } });
    else await post("/api/v1/seats/{seat}/sign-out", { path, body: { reason: "forced" } });
    await look();
  }

  async function hangUp(call: string): Promise<void> {
    await post("/api/v1/calls/{call}/hang-up", { path: { call } });
    await look();
  }

  async function move(call: string, queue: string | null, headStart: number | null): Promise<void> {
    await post("/api/v1/floor/waiting/{call}/route", { path: { call }, body: { queue, priority: headStart } });
    await look();
  }

  async function lookPlans(): Promise<void> {
    plans.value = await Promise.all(queues.value.map((one) => get("/api/v1/queues/{queue}/plan", { path: { queue: one.queue } })));
  }

  /** Say a prompt at once to everybody who begins to wait in a queue; an empty one: no more. */
  async function announce(queue: string, prompt: string): Promise<void> {
    const plan = await get("/api/v1/queues/{queue}/plan", { path: { queue } });
    await put("/api/v1/queues/{queue}/plan", { path: { queue }, body: withNotice(plan, prompt) });
    await lookPlans();
  }
  const isCrisis = computed(() => plans.value.some((plan) => noticeOf(plan) !== ""));

  return { plans, lookPlans, announce, isCrisis, byQueue, byNumber, byUnit, day, strains, lines, describe, queueName, move, floor, seats, present, queues, calls, figures, reasons, points, waiting, longest, talking, ready, look, start, figure, why, force, hangUp };
});
