// Prompts by name, asked for once, and one of them at a time to listen to.
import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";
import { get, type Prompt } from "@/api/client";
import { useWho } from "@/shell/who";

export const usePrompts = defineStore("prompts", () => {
  const items = shallowRef<Prompt[]>([]);
  const isLoading = ref(false);
  const playing = ref("");
  const byName = computed(() => new Map(items.value.map((one) => [one.name, one])));
  const sound = new Audio();
  sound.addEventListener("ended", () => (playing.value = ""));
  sound.addEventListener("error", () => (playing.value = ""));

  async function load(again = false): Promise<void> {
    if ((items.value.length && !again) || !useWho().may("flows.read")) return;
    isLoading.value = !items.value.length;
    items.value = (await get("/api/v1/prompts").catch(() => ({ items: [] }))).items;
    isLoading.value = false;
  }

  /** What callers hear, in characters; the name when nobody wrote it down. */
  function text(name: string): string {
    return byName.value.get(name)?.text || (isLoading.value ? "…" : name);
  }

  function toggle(name: string): void {
    sound.pause();
    playing.value = playing.value === name ? "" : name;
    if (!playing.value) return;
    sound.src = `/api/v1/prompts/${encodeURIComponent(name)}/audio`;
    void sound.play().catch(() => (playing.value = ""));
  }
  function stop(): void {
    sound.pause();
    playing.value = "";
  }

  return { items, playing, load, text, toggle, stop };
});
