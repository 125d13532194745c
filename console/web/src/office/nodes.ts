// What a node of a flow does, in words of people: what it says, or whom it leads to.
import { named, t } from "@/i18n";
import type { DrawnNode } from "./layout";

export function wordsOf(node: Pick<DrawnNode, "kind" | "prompts" | "detail" | "owner_first">, text: (prompt: string) => string): string {
  if (node.prompts.length) return node.prompts.map(text).join("");
  if (node.kind === "queue") return node.owner_first ? t("flows.ownerFirst") : t("flows.anySeat");
  return node.detail.startsWith("{") ? t("flows.ofNumber") : named("hours", node.detail);
}

export const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
