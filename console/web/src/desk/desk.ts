// The desk as the server knows it: the seat, its call, and what the seat may be asked to do.
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { get, post, type Call, type Desk, type Reason, type Seat } from "@/api/client";
import { coalesced } from "@/api/feed";
import { learnClock } from "@/time";
import type { Step } from "./abuse";

export const useDesk = defineStore("desk", () => {
  const desk = ref<Desk | null>(null);
  const reasons = ref<Reason[]>([]);
  const seat = computed<Seat | null>(() => desk.value?.seat ?? null);
  const call = computed<Call | null>(() => desk.value?.call ?? null);
  const state = computed(() => seat.value?.state ?? null);
  const waiting = computed(() => desk.value?.waiting ?? 0);
  const chosen = computed(() => reasons.value.filter((reason) => reason.chosen));

  const look = coalesced(async () => {
    const found = await get("/api/v1/desk");
    learnClock(found.at);
    desk.value = found;
  });

  async function start(): Promise<void> {
    await look();
    reasons.value = (await get("/api/v1/pause-reasons")).items;
  }

  function own(): { path: { seat: string } } {
    return { path: { seat: seat.value?.seat ?? "" } };
  }
  async function after(asked: Promise<unknown>): Promise<void> {
    await asked;
    await look();
  }

  return {
    desk, seat, call, state, waiting, reasons, chosen, look, start,
    signIn: () => after(post("/api/v1/seats/{seat}/sign-in", { ...own(), body: { phone: "" } })),
    signOut: () => after(post("/api/v1/seats/{seat}/sign-out", { ...own(), body: { reason: "" } })),
    pause: (reason: string) => after(post("/api/v1/seats/{seat}/pause", { ...own(), body: { reason } })),
    resume: () => after(post("/api/v1/seats/{seat}/resume", own())),
    endWrapUp: () => after(post("/api/v1/seats/{seat}/end-wrap-up", own())),
    extendWrapUp: () => after(post("/api/v1/seats/{seat}/extend-wrap-up", { ...own(), body: { seconds: 60 } })),
    reportAbuse: (step: Step) => after(post("/api/v1/seats/{seat}/report-abuse", { ...own(), body: { step, code: step === "ended" ? "abuse" : "" } })),
    hangUp: (ended: string) => after(post("/api/v1/calls/{call}/hang-up", { path: { call: ended } })),
  };
});
