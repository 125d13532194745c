// The words of a talk that goes on: asked for when the feed says that there are more, and only what is new of them.
import { computed, ref, watch, type ComputedRef, type Ref } from "vue";
import { get, type LiveLine, type LiveWords } from "@/api/client";
import { coalesced, useWordsFeed } from "@/api/feed";
import { isChinese } from "@/i18n";
import { merged } from "./lines";

export interface Words {
  lines: Ref<LiveLine[]>;
  speaking: Ref<LiveLine[]>;
  /** Why there is nothing, or what must be known of it; null: there is nothing to be said. */
  state: Ref<LiveWords["state"]>;
  note: ComputedRef<string>;
}

/** Follows the call that `call` names; an empty name: none. */
export function useWords(call: () => string): Words {
  const lines = ref<LiveLine[]>([]);
  const speaking = ref<LiveLine[]>([]);
  const state = ref<LiveWords["state"]>(null);
  const notes = ref({ zh: "", en: "" });
  let cursor = "";

  function forget(): void {
    lines.value = speaking.value = [];
    state.value = null;
    notes.value = { zh: "", en: "" };
    cursor = "";
  }

  const look = coalesced(async () => {
    const asked = call();
    if (!asked) return;
    const found = await get("/api/v1/calls/{call}/transcript/live", { path: { call: asked }, query: { after: cursor } }).catch(() => null);
    if (!found || asked !== call()) return;
    lines.value = merged(lines.value, found);
    speaking.value = found.speaking;
    state.value = found.state;
    notes.value = { zh: found.note, en: found.note_en };
    cursor = found.next;
  });

  watch(call, () => {
    forget();
    void look();
  }, { immediate: true });
  useWordsFeed(() => void look());
  return { lines, speaking, state, note: computed(() => (isChinese.value ? notes.value.zh : notes.value.en)) };
}
