// The ticket on the desk: found by its call, saved while somebody types, kept on this machine until it is.
import { ElMessage } from "element-plus";
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { get, patch, post, Problem, type Conclusion, type Ticket, type TicketWhole } from "@/api/client";
import { comma, t } from "@/i18n";
import { sayProblem } from "@/shell/say";
import { appended, changes, missing, opened, rebased, saved, typed, type Draft, type Entry, type Field, type Texts } from "./draft";

const KEPT = "hotline.draft.";
const PAUSE_MS = 900;
const RETRY_MS = 4000;
export type Saving = "saved" | "unsaved" | "saving" | "offline";

export const useTicket = defineStore("ticket", () => {
  const ticket = ref<Ticket | null>(null);
  const draft = ref<Draft | null>(null);
  const drafts = ref<Ticket[]>([]);
  /** What those concluded who were asked. */
  const conclusions = ref<Conclusion[]>([]);
  /** How the citizen rated; nothing while nobody was asked. */
  const rating = ref<TicketWhole["rating"]>(null);
  const saving = ref<Saving>("saved");
  const savedAt = ref(0);
  const field = ref<Field>("event_process");
  /** Fields that a submission lacked. */
  const lacking = ref<Field[]>([]);
  const isOpen = computed(() => ticket.value?.state === "draft");
  let timer = 0;
  let running: Promise<void> = Promise.resolve();

  /** Show the ticket of a call, once it is there. */
  async function ofCall(call: string): Promise<void> {
    if (ticket.value?.call === call) return;
    setAside();
    const found = (await get("/api/v1/tickets", { query: { call, limit: 1 } })).items[0];
    if (found) show(found);
  }

  /** Nothing of this call is written into the ticket of another one that happens to be open. */
  function setAside(): void {
    if (draft.value?.dirty.length) void flush();
    ticket.value = null;
    draft.value = null;
    conclusions.value = [];
    rating.value = null;
  }

  function show(found: Ticket): void {
    if (draft.value?.dirty.length) void flush();
    ticket.value = found;
    conclusions.value = [];
    rating.value = null;
    lacking.value = [];
    const kept = localStorage.getItem(KEPT + found.id);
    draft.value = opened(found, found.state === "draft" && kept ? (JSON.parse(kept) as Partial<Texts>) : {});
    saving.value = draft.value.dirty.length ? "unsaved" : "saved";
    if (draft.value.dirty.length) {
      ElMessage.info(t("form.recovered"));
      later(PAUSE_MS);
    }
  }

  /** Own drafts that were not submitted; the newest is shown when there is nothing else to show. */
  async function findDrafts(agent: string, call: string): Promise<void> {
    const found = (await get("/api/v1/tickets", { query: { state: "draft", limit: 50 } })).items;
    drafts.value = found.filter((one) => one.agent === agent && one.call !== call);
    const newest = drafts.value[0];
    if (!ticket.value && newest) show(newest);
  }

  /** Look again at the shown ticket: the machine adds to it. */
  async function renew(): Promise<void> {
    if (!ticket.value) return;
    const found = await get("/api/v1/tickets/{ticket}", { path: { ticket: ticket.value.id } });
    ticket.value = found;
    conclusions.value = found.conclusions;
    rating.value = found.rating;
    if (draft.value && found.version !== draft.value.version && saving.value !== "saving") draft.value = rebased(draft.value, found);
  }

  function write(into: Entry, text: string): void {
    if (!draft.value) return;
    draft.value = typed(draft.value, into, text);
    lacking.value = lacking.value.filter((one) => one !== into);
    keep();
    saving.value = "unsaved";
    later(PAUSE_MS);
  }

  function keep(): void {
    if (!draft.value) return;
    if (draft.value.dirty.length) {
      const texts = draft.value.texts;
      localStorage.setItem(KEPT + draft.value.ticket, JSON.stringify(Object.fromEntries(draft.value.dirty.map((one) => [one, texts[one]]))));
    } else localStorage.removeItem(KEPT + draft.value.ticket);
  }

  function later(ms: number): void {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void flush(), ms);
  }

  /** Save now what is to be saved; one save after the other. What is shown next does not wait for it. */
  function flush(): Promise<void> {
    window.clearTimeout(timer);
    const shown = draft.value;
    running = running.then(() => save(shown));
    return running;
  }

  async function save(shown: Draft | null): Promise<void> {
    const isShown = draft.value?.ticket === shown?.ticket;
    const before = isShown ? draft.value : shown;
    const sent = before ? changes(before) : {};
    if (!before || !Object.keys(sent).length) return;
    if (isShown) saving.value = "saving";
    try {
      const found = await patch("/api/v1/tickets/{ticket}", { path: { ticket: before.ticket }, body: { version: before.version, ...sent } });
      if (draft.value?.ticket !== before.ticket) {
        if (!saved(before, sent, found.version).dirty.length) localStorage.removeItem(KEPT + before.ticket);
        return;
      }
      draft.value = saved(draft.value, sent, found.version);
      ticket.value = found;
      savedAt.value = Date.now();
      saving.value = draft.value.dirty.length ? "unsaved" : "saved";
      if (draft.value.dirty.length) later(PAUSE_MS);
    } catch (error) {
      await notSaved(error, before);
    }
    keep();
  }

  async function notSaved(error: unknown, before: Draft): Promise<void> {
    if (draft.value?.ticket !== before.ticket) return; // kept on this machine until the ticket is opened again
    saving.value = "offline";
    if (error instanceof Problem && error.status === 409) {
      const found = await get("/api/v1/tickets/{ticket}", { path: { ticket: before.ticket } });
      if (draft.value?.ticket === before.ticket) draft.value = rebased(draft.value, found);
      ticket.value = found;
      later(PAUSE_MS);
    } else if (error instanceof Problem && error.status < 500) sayProblem(error);
    else later(RETRY_MS);
  }

  async function submit(): Promise<boolean> {
    if (!draft.value || !isOpen.value) return false;
    lacking.value = missing(draft.value);
    if (lacking.value.length) {
      ElMessage.warning(t("form.needed", { fields: lacking.value.map((one) => t(`form.${one}`)).join(comma()) }));
      return false;
    }
    await flush();
    try {
      const found = await post("/api/v1/tickets/{ticket}/submit", { path: { ticket: draft.value.ticket }, body: { version: draft.value.version } });
      ticket.value = found;
      draft.value = opened(found);
      drafts.value = drafts.value.filter((one) => one.id !== found.id);
      ElMessage.success(t("form.submitted", { number: found.number }));
      return true;
    } catch (error) {
      sayProblem(error);
      return false;
    }
  }

  /** Put a sentence at the end of the field that was last written in. */
  function take(sentence: string): void {
    if (draft.value && isOpen.value) write(field.value, appended(draft.value.texts[field.value], sentence));
  }

  return { ticket, draft, drafts, conclusions, rating, saving, savedAt, field, lacking, isOpen, ofCall, setAside, show, findDrafts, renew, write, flush, submit, take };
});
