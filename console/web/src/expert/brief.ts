// What a guest of a talk knows of it: the ticket so far; and the conclusion, kept on this machine until it is written.
import { ElMessage } from "element-plus";
import { defineStore } from "pinia";
import { computed, ref, watch } from "vue";
import { get, post, type Brief } from "@/api/client";
import { coalesced } from "@/api/feed";
import { t } from "@/i18n";
import { attempt } from "@/shell/say";
import { appended } from "@/desk/draft";
import { useTalk } from "@/desk/talk";

const GUEST = "hotline.guest";
const KEPT = "hotline.conclusion.";

export const useBrief = defineStore("brief", () => {
  const call = ref(sessionStorage.getItem(GUEST) ?? "");
  const brief = ref<Brief | null>(null);
  const text = ref("");
  const isBusy = ref(false);
  const isShown = computed(() => call.value !== "");
  const ticket = computed(() => brief.value?.ticket ?? null);

  function of(guest: string): void {
    call.value = guest;
  }

  const look = coalesced(async () => {
    const asked = call.value;
    if (!asked) return;
    const found = await get("/api/v1/desk/calls/{call}/brief", { path: { call: asked } });
    if (asked !== call.value) return;
    brief.value = found;
    if (!found.ticket && !useTalk().talk) call.value = ""; // called and never there: it is somebody else's call
  });

  // Behind what it needs: a page that is loaded anew in a talk begins with a call.
  watch(call, (now) => {
    sessionStorage.setItem(GUEST, now);
    brief.value = null;
    text.value = now ? (localStorage.getItem(KEPT + now) ?? "") : "";
    if (now) void look().catch(() => undefined);
  }, { immediate: true });

  function write(typed: string): void {
    text.value = typed;
    if (typed) localStorage.setItem(KEPT + call.value, typed);
    else localStorage.removeItem(KEPT + call.value);
  }

  /** Put a sentence of the transcript at the end of the conclusion. */
  function take(sentence: string): void {
    write(appended(text.value, sentence));
  }

  async function submit(): Promise<void> {
    const asked = call.value;
    const said = text.value.trim();
    if (!said || isBusy.value) return;
    isBusy.value = true;
    await attempt(async () => {
      brief.value = await post("/api/v1/desk/calls/{call}/conclusion", { path: { call: asked }, body: { text: said } });
      write("");
      ElMessage.success(t("brief.written"));
    });
    isBusy.value = false;
  }

  return { call, brief, ticket, text, isBusy, isShown, of, look, write, take, submit };
});
