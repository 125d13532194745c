// Sentences of the API in Chinese: those that people at the console meet.
import table from "@/locales/problems.json";

const HOLE = "{}";
const KNOWN = Object.entries(table).map(([english, chinese]) => {
  const parts = english.split(HOLE).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return { pattern: new RegExp(`^${parts.join("(.*?)")}$`, "s"), chinese };
});

/** A sentence of the server's in Chinese, if it is one of those that are known. */
export function chinese(sentence: string): string | null {
  for (const { pattern, chinese: words } of KNOWN) {
    const found = pattern.exec(sentence);
    if (!found) continue;
    let nr = 0;
    return words.replaceAll(HOLE, () => found[++nr] ?? "");
  }
  return null;
}

/** A mistake, `field: sentence` where it is about a field; what is not known stays as it is. */
export function mistake(text: string): string {
  const split = text.indexOf(": ");
  const whole = chinese(text);
  if (whole !== null || split < 0) return whole ?? text;
  return `${text.slice(0, split)}: ${chinese(text.slice(split + 2)) ?? text.slice(split + 2)}`;
}
