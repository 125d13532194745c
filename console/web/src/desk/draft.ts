// What is typed into a ticket, between the keyboard and the server. Pure: no network, no clock, no storage.
import type { Ticket } from "@/api/client";

export const FIELDS = [
  "matter", "contact_no", "incident_time", "subject_name", "subject_address", "event_process", "demand", "operator_suggestion",
] as const;
export type Field = (typeof FIELDS)[number];
/** What a ticket is classed by, and whom it should go to: chosen rather than written, saved in the same way. */
export const MARKS = ["request_type", "urgency", "category_code", "proposed_unit"] as const;
export type Mark = (typeof MARKS)[number];
export type Entry = Field | Mark;
const ENTRIES: readonly Entry[] = [...FIELDS, ...MARKS];
export type Texts = Record<Entry, string>;

export interface Draft {
  ticket: string;
  version: number;
  texts: Texts;
  /** Fields that differ from what the server has. */
  dirty: Entry[];
}

const TELEPHONE = /^([+0-9][0-9 -]{2,38})?$/;

/** The draft of a ticket as the server has it, with what was typed and not yet saved on top. */
export function opened(ticket: Ticket, kept: Partial<Texts> = {}): Draft {
  const texts = Object.fromEntries(ENTRIES.map((field) => [field, shown(ticket, field)])) as Texts;
  const dirty = ENTRIES.filter((field) => kept[field] !== undefined && kept[field] !== texts[field]);
  for (const field of dirty) texts[field] = kept[field] ?? "";
  return { ticket: ticket.id, version: ticket.version, texts, dirty };
}

/** A masked number is not what was written: it is shown beside the field, never in it. */
function shown(ticket: Ticket, field: Entry): string {
  const text = ticket[field] ?? "";
  return field === "contact_no" && text.includes("*") ? "" : text;
}

export function typed(draft: Draft, field: Entry, text: string): Draft {
  const dirty = draft.dirty.includes(field) ? draft.dirty : [...draft.dirty, field];
  return { ...draft, texts: { ...draft.texts, [field]: text }, dirty };
}

/** What to send; a number that cannot be one waits until it can. */
export function changes(draft: Draft): Partial<Texts> {
  const ready = draft.dirty.filter((field) => field !== "contact_no" || TELEPHONE.test(draft.texts.contact_no.trim()));
  return Object.fromEntries(ready.map((field) => [field, draft.texts[field]]));
}

/** After a save: what was typed while it was under way is still to be saved. */
export function saved(draft: Draft, sent: Partial<Texts>, version: number): Draft {
  const dirty = draft.dirty.filter((field) => sent[field] === undefined || sent[field] !== draft.texts[field]);
  return { ...draft, version, dirty };
}

/** Somebody else changed the ticket: theirs where we typed nothing, ours where we did. */
export function rebased(draft: Draft, ticket: Ticket): Draft {
  const kept: Partial<Texts> = {};
  for (const field of draft.dirty) kept[field] = draft.texts[field];
  return opened(ticket, kept);
}

/** A sentence at the end of what is written already. */
export function appended(text: string, sentence: string): string {
  const before = text.trimEnd();
  return before ? `${before}${/[。！？，；,.!?;]$/.test(before) ? "" : "，"}${sentence}` : sentence;
}

/** Fields that a ticket must have before it is submitted; the server says so as well. */
export const REQUIRED: readonly Field[] = ["matter", "demand"];

export function missing(draft: Draft): Field[] {
  return REQUIRED.filter((field) => draft.texts[field].trim() === "");
}
