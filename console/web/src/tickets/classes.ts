// What tickets are classed by, as the city wrote it. Fetched once.
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { get, type Classes } from "@/api/client";
import { isChinese } from "@/i18n";
import { leaves, nameOf, pathOf, type Choice, type Named } from "./tree";

export const useClasses = defineStore("classes", () => {
  const classes = ref<Classes>({ types: [], urgencies: [], categories: [] });
  let asked: Promise<void> | null = null;

  /** Have them; once is enough unless it failed. */
  function load(): Promise<void> {
    asked ??= get("/api/v1/tickets/classification").then((found) => void (classes.value = found), () => void (asked = null));
    return asked;
  }

  function named(of: readonly Named[], code: string): string {
    const found = of.find((one) => one.code === code);
    return found ? nameOf(found, isChinese.value) : code;
  }

  const choices = (of: readonly Named[]): Choice[] => of.map((one) => ({ code: one.code, label: nameOf(one, isChinese.value) }));
  return {
    load,
    types: computed(() => choices(classes.value.types)),
    urgencies: computed(() => choices(classes.value.urgencies)),
    majors: computed(() => choices(classes.value.categories.filter((one) => one.code.length === 2))),
    find: (text: string) => leaves(classes.value.categories, isChinese.value, text),
    type: (code: string) => named(classes.value.types, code),
    urgency: (code: string) => named(classes.value.urgencies, code),
    leaf: (code: string) => named(classes.value.categories, code),
    path: (code: string) => pathOf(classes.value.categories, code, isChinese.value),
  };
});
