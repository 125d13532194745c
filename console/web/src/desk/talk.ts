// The talk on the desk: who takes part, since when, and what is asked of it.
import { ElMessage } from "element-plus";
import { defineStore } from "pinia";
import { computed, ref, watch } from "vue";
import { get, post, type Company, type Seat } from "@/api/client";
import { named, t } from "@/i18n";
import { attempt } from "@/shell/say";
import { serverNow } from "@/time";
import { choices, type Choice } from "./choices";
import { citizenKey, isCompany, isInvited, lastGuest, nameOf, notCome, standing, type Deed, type Shown, type Standing, type Wish } from "./company";
import { useDesk } from "./desk";

export type Way = "private" | "join" | "blind";

export const useTalk = defineStore("talk", () => {
  const desk = useDesk();
  const talk = computed<Company | null>(() => desk.desk?.talk ?? null);
  const since = ref<Record<string, Standing>>({});
  const seats = ref<Seat[]>([]);
  const isChoosing = ref(false);
  const isAsking = ref(false);
  let wished: Wish | null = null;
  let running: Promise<boolean> = Promise.resolve(true);

  watch(talk, (now, before) => {
    for (const one of notCome(before, now, wished)) ElMessage.warning(t("talk.notCome", { name: titleOf(one) }));
    if (now?.situation !== before?.situation) wished = null;
    since.value = standing(since.value, now?.parties ?? [], serverNow());
    if (!now || !may("consult")) isChoosing.value = false;
  });

  function may(deed: Deed): boolean {
    return talk.value?.may.includes(deed) ?? false;
  }

  /** How a party is called on the screen. */
  function titleOf(party: Shown): string {
    return party.party === "citizen" ? named("party", "citizen") : party.name || party.seat;
  }

  /** Seats of everybody, page by page. */
  async function findSeats(): Promise<void> {
    const found: Seat[] = [];
    let cursor: string | undefined;
    do {
      const page = await get("/api/v1/seats", { query: { limit: 200, cursor } });
      found.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor);
    seats.value = found;
  }

  const offered = computed<Choice[]>(() =>
    choices(seats.value, [desk.seat?.seat ?? "", ...(talk.value?.parties.map((one) => one.seat) ?? [])], desk.call?.owner_unit ?? ""),
  );

  /** Ask it of the server, one wish after the other; what the talk does not allow any more by then is left out. */
  function ask(wish: Wish, body?: { seat?: string; private?: boolean }): Promise<boolean> {
    const asked = running.then(() => grant(wish, body));
    running = asked;
    return asked;
  }

  async function grant(wish: Wish, body?: { seat?: string; private?: boolean }): Promise<boolean> {
    const call = talk.value?.call;
    if (!call || (wish !== "park" && wish !== "drop" && !may(wish))) return false;
    isAsking.value = true;
    wished = wish;
    const worked = await attempt(async () => {
      await send(wish, call, body);
      await desk.look();
    });
    isAsking.value = false;
    return worked;
  }

  function send(wish: Wish, call: string, body: { seat?: string; private?: boolean } = {}): Promise<unknown> {
    const path = { call };
    const seat = body.seat ?? "";
    if (wish === "consult") return post("/api/v1/calls/{call}/consult", { path, body: { seat, private: body.private ?? true } });
    if (wish === "drop") return post("/api/v1/calls/{call}/drop", { path, body: { seat } });
    if (wish === "transfer") return post("/api/v1/calls/{call}/transfer", { path, body: { seat } });
    if (wish === "park") return post("/api/v1/calls/{call}/park", { path, body: { seat: seat || null } });
    return post(`/api/v1/calls/{call}/${wish}`, { path });
  }

  /** Take the talk to somebody: asked in private, into the talk, or handed over without a word. */
  async function call(choice: Choice, way: Way): Promise<void> {
    if (!choice.seat) return;
    const worked = way === "blind" ? await ask("transfer", { seat: choice.seat }) : await ask("consult", { seat: choice.seat, private: way === "private" });
    if (worked) isChoosing.value = false;
  }

  function pressCitizen(): void {
    const wish = citizenKey(talk.value);
    if (wish) void ask(wish);
  }
  function dropLast(): void {
    const guest = lastGuest(talk.value);
    if (guest) void ask("drop", { seat: guest.seat });
  }

  return {
    talk, since, seats, offered, isChoosing, isAsking, may, titleOf, findSeats, ask, call, pressCitizen, dropLast,
    isCompany: computed(() => isCompany(talk.value)),
    isInvited: computed(() => isInvited(talk.value)),
    sinceOf: (party: Shown): number => since.value[nameOf(party)]?.since ?? serverNow(),
    citizenWish: computed(() => citizenKey(talk.value)),
    guest: computed(() => lastGuest(talk.value)),
  };
});
