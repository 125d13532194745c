// Notes, reviews and listeners of one recording.
import { ref, shallowRef } from "vue";
import { get, post, remove, type Listening, type Note, type Review, type Sheet } from "@/api/client";
import type { Span } from "./marks";

let sheet: Sheet | null = null;

export type Quality = ReturnType<typeof useQuality>;

export function useQuality(recording: string) {
  const path = { recording };
  const notes = shallowRef<Note[]>([]);
  const reviews = shallowRef<Review[]>([]);
  const listeners = shallowRef<Listening[]>([]);
  const form = shallowRef<Sheet | null>(sheet);
  /** The stretch that a new note is about. */
  const chosen = ref<Span | null>(null);

  async function look(): Promise<void> {
    sheet ??= await get("/api/v1/quality/sheet");
    form.value = sheet;
    const [found, given, heard] = await Promise.all([
      get("/api/v1/recordings/{recording}/notes", { path }), get("/api/v1/recordings/{recording}/reviews", { path }), get("/api/v1/recordings/{recording}/listeners", { path }),
    ]);
    notes.value = found.items;
    reviews.value = given.items;
    listeners.value = heard.items;
  }
  async function note(kind: Note["kind"], text: string): Promise<void> {
    const span = chosen.value;
    if (!span) return;
    await post("/api/v1/recordings/{recording}/notes", { path, body: { from_ms: Math.round(span.fromMs), to_ms: Math.round(span.toMs), kind, text } });
    chosen.value = null;
    await look();
  }
  async function drop(one: Note): Promise<void> {
    await remove("/api/v1/recordings/{recording}/notes/{note}", { path: { recording, note: one.id } });
    await look();
  }
  async function review(marks: Record<string, number>, fatal: string[], comment: string): Promise<void> {
    await post("/api/v1/recordings/{recording}/reviews", { path, body: { marks, fatal, comment } });
    await look();
  }
  return { notes, reviews, listeners, form, chosen, look, note, drop, review };
}
