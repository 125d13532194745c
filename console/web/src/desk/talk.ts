// The talk on the desk: who takes part, since when, and what is asked of it.
import { ElMessage } from "element-plus";
import { defineStore } from "pinia";
import { computed, ref, watch } from "vue";
import { get, post, type Company, type RosterUnit, type Seat, type Target } from "@/api/client";
import { named, t } from "@/i18n";
import { attempt } from "@/shell/say";
import { serverNow } from "@/time";
import { choices, type Choice, type Whom } from "./choices";
import { citizenKey, isCompany, isInvited, lastGuest, nameOf, notCome, standing, type Deed, type Shown, type Standing, type Wish } from "./company";
import { useDesk } from "./desk";

export type Way = "private" | "join" | "blind";

interface Asked {
  seat?: string;
  whom?: Whom;
  private?: boolean;
}

export const useTalk = defineStore("talk", () => {
  const desk = useDesk();
  const talk = computed<Company | null>(() => desk.desk?.talk ?? null);
  const since = ref<Record<string, Standing>>({});
  const seats = ref<Seat[]>([]);
  const roster = ref<RosterUnit[]>([]);
  const targets = ref<Target[]>([]);
  const isChoosing = ref(false);
  const isAsking = ref(false);
  const isEmergency = ref(false);
  let wished: Wish | null = null;
  let running: Promise<boolean> = Promise.resolve(true);

  watch(talk, (now, before) => {
    for (const one of notCome(before, now, wished)) ElMessage.warning(t("talk.notCome", { name: titleOf(one) }));
    if (now?.situation !== before?.situation) wished = null;
    since.value = standing(since.value, now?.parties ?? [], serverNow());
    if (!now || !may("consult")) isChoosing.value = false;
    if (!now || !may("consult")) isEmergency.value = false;
  });

  function may(deed: Deed): boolean {
    return talk.value?.may.includes(deed) ?? false;
  }

  /** How a party is called on the screen. */
  function titleOf(party: Shown): string {
    return party.party === "citizen" ? named("party", "citizen") : party.name || targets.value.find((one) => one.number === party.number)?.name || party.number || party.seat;
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

  /** Units' fixed people, and the lines outside that may be called. */
  async function findOthers(): Promise<void> {
    targets.value = (await get("/api/v1/outside/targets")).items;
    roster.value = (await get("/api/v1/roster", { query: { limit: 200 } })).items;
  }
  // Emergency keys are there before they are needed.
  watch(() => talk.value?.call, (call) => call && !talk.value?.goal && void findOthers().catch(() => undefined), { immediate: true });

  const emergency = computed(() => targets.value.filter((one) => one.kind === "emergency" && !one.refused));
  const offered = computed<Choice[]>(() =>
    choices(
      seats.value, [desk.seat?.seat ?? "", ...(talk.value?.parties.flatMap((one) => [one.seat, one.number]) ?? [])],
      desk.call?.owner_unit ?? "", roster.value, targets.value,
    ),
  );

  /** Ask it of the server, one wish after the other; what the talk does not allow any more by then is left out. */
  function ask(wish: Wish, body?: Asked): Promise<boolean> {
    const asked = running.then(() => grant(wish, body));
    running = asked;
    return asked;
  }

  async function grant(wish: Wish, body?: Asked): Promise<boolean> {
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

  function send(wish: Wish, call: string, body: Asked = {}): Promise<unknown> {
    const path = { call };
    const seat = body.seat ?? "";
    if (wish === "consult") return post("/api/v1/calls/{call}/consult", { path, body: { ...body.whom, private: body.private ?? true } });
    if (wish === "drop") return post("/api/v1/calls/{call}/drop", { path, body: { seat } });
    if (wish === "transfer") return post("/api/v1/calls/{call}/transfer", { path, body: { ...body.whom } });
    if (wish === "park") return post("/api/v1/calls/{call}/park", { path, body: { seat: seat || null } });
    return post(`/api/v1/calls/{call}/${wish}`, { path });
  }

  /** Take the talk to somebody: asked in private, into the talk, or handed over without a word. */
  async function call(choice: Choice, way: Way): Promise<void> {
    if (!choice.whom) return;
    const worked = way === "blind" ? await ask("transfer", { whom: choice.whom }) : await ask("consult", { whom: choice.whom, private: way === "private" });
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
    talk, since, seats, roster, emergency, offered, isChoosing, isAsking, isEmergency, may, titleOf, findSeats, findOthers, ask, call, pressCitizen, dropLast,
    isCompany: computed(() => isCompany(talk.value)),
    isInvited: computed(() => isInvited(talk.value)),
    sinceOf: (party: Shown): number => since.value[nameOf(party)]?.since ?? serverNow(),
    citizenWish: computed(() => citizenKey(talk.value)),
    guest: computed(() => lastGuest(talk.value)),
  };
});
