// The tree of classes: names of codes, paths, what is looked for. Pure.
import type { Classes } from "@/api/client";

export type Named = Classes["types"][number];
export interface Choice {
  code: string;
  label: string;
}

const LEAF_DIGITS = 6;

export function nameOf(one: Named, chinese: boolean): string {
  return chinese ? one.zh : one.en;
}

/** Names from the top of the tree down to a class; a code that the city does not have any more stays as it is. */
export function pathOf(categories: readonly Named[], code: string, chinese: boolean): string {
  const names = new Map(categories.map((one) => [one.code, nameOf(one, chinese)]));
  const above = [2, 4, 6].filter((digits) => digits <= code.length).map((digits) => names.get(code.slice(0, digits)) ?? "");
  return above.every(Boolean) && above.length ? above.join(" › ") : code;
}

/** Classes that tickets take, by their paths, of those that are looked for by name or code. */
export function leaves(categories: readonly Named[], chinese: boolean, find = ""): Choice[] {
  const wanted = find.trim().toLowerCase();
  return categories
    .filter((one) => one.code.length === LEAF_DIGITS)
    .map((one) => ({ code: one.code, label: pathOf(categories, one.code, chinese) }))
    .filter((one) => !wanted || one.label.toLowerCase().includes(wanted) || one.code.startsWith(wanted));
}
