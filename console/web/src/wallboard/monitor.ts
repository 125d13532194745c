// Listening, whispering, coming in and taking over, with the supervisor's own telephone.
import { defineStore } from "pinia";
import { ref, watch } from "vue";
import { post, Problem } from "@/api/client";
import { useDesk } from "@/desk/desk";
import { usePhone } from "@/desk/phone";
import { t } from "@/i18n";
import { said } from "@/shell/told";
import { hear, IDLE, wishes, type Ear, type News, type Wish } from "./ear";

const PATIENCE_MS = 12_000;
const RINGS_MS = 30_000;
const LOOK_MS = 150;
/** Whoever listens is not offered citizens' calls meanwhile. */
const REASON = "coaching";

export const useMonitor = defineStore("monitor", () => {
  const desk = useDesk();
  const phone = usePhone();
  const ear = ref<Ear>(IDLE);
  const isBusy = ref(false);
  const problem = ref("");
  let silence = 0;

  function tell(news: News): void {
    ear.value = hear(ear.value, news);
  }

  watch(() => phone.talk, (now, before) => {
    if (now === "ringing" && ear.value.mode === "calling") phone.answer();
    else if (now === "talking" && ear.value.mode === "calling") tell({ kind: "answered" });
    else if (now === "none" && before !== "none") tell({ kind: "over" });
    if (now !== "none") window.clearTimeout(silence);
  });

  /** Sign in at the own seat, out of the distribution of calls, with a telephone that can be reached. */
  async function prepare(): Promise<void> {
    await desk.look();
    if (!desk.seat) throw new Problem(0, t("monitor.noSeat"));
    if (!(await phone.prepare())) throw new Problem(0, t("phone.noMicrophone"));
    if (!desk.state) {
      await desk.signIn();
      await desk.pause(REASON);
    }
    if (!(await phone.start())) throw new Problem(0, t("phone.elsewhere"));
    const until = Date.now() + PATIENCE_MS;
    while (!desk.seat?.reachable) {
      if (Date.now() > until) throw new Problem(0, t("monitor.unreachable"));
      await new Promise((done) => window.setTimeout(done, LOOK_MS));
      await desk.look();
    }
  }

  async function ask(call: string, wish: Wish): Promise<void> {
    problem.value = "";
    isBusy.value = true;
    const rings = ear.value.mode === "idle";
    try {
      if (rings) {
        await prepare();
        tell({ kind: "asked", call, wish });
        window.clearTimeout(silence);
        silence = window.setTimeout(() => ear.value.mode === "calling" && tell({ kind: "over" }), RINGS_MS);
      }
      const path = { call };
      if (wish === "listen") await post("/api/v1/calls/{call}/listen", { path }); // to whoever answers for the call, who may be outside
      else if (wish === "barge") await post("/api/v1/calls/{call}/barge", { path });
      else if (wish === "take-over") await post("/api/v1/calls/{call}/take-over", { path });
      else await post("/api/v1/calls/{call}/whisper", { path, body: { on: wish === "whisper" } });
      if (!rings) tell({ kind: "asked", call, wish });
      // A telephone on the desk rings by itself; the page does not hear when it is picked up.
      else if (phone.kind === "desk") tell({ kind: "answered" });
    } catch (error) {
      if (rings) tell({ kind: "over" });
      problem.value = error instanceof Problem ? said(error.message, error.status) : t("error.network");
      throw error;
    } finally {
      isBusy.value = false;
    }
  }

  /** The page is closing: a citizen who is talked with is looked after, an ear is just gone. */
  function vanish(): void {
    if (ear.value.mode === "talking" || ear.value.mode === "owner") phone.leave();
    else if (ear.value.mode !== "idle") phone.hangUp();
  }

  function leave(): void {
    phone.hangUp();
    if (phone.kind === "desk") tell({ kind: "over" });
  }

  async function retire(): Promise<void> {
    phone.stop();
    await desk.signOut();
  }

  return { ear, isBusy, problem, ask, leave, vanish, retire, prepare, wishes: (call: string) => wishes(ear.value, call) };
});
