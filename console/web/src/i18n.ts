// Words for people, by key. The Chinese table is the measure: a key that another language lacks fails the type check.
import { computed, ref } from "vue";
import en from "@/locales/en.json";
import zh from "@/locales/zh-CN.json";

export type Key = keyof typeof zh;
export type Language = "zh-CN" | "en";
export type Values = Record<string, string | number>;

const TABLES: Record<Language, Record<Key, string>> = { "zh-CN": zh, en };
const KEPT = "hotline.language";

export const language = ref<Language>(localStorage.getItem(KEPT) === "en" ? "en" : "zh-CN");
export const isChinese = computed(() => language.value === "zh-CN");

export function speak(wanted: Language): void {
  language.value = wanted;
  localStorage.setItem(KEPT, wanted);
  document.documentElement.lang = wanted;
}

/** What stands between the parts of a list. */
export const comma = (): string => (isChinese.value ? "、" : ", ");

/** The words for a key, with `{name}` filled in. */
export function t(key: Key, values: Values = {}): string {
  return TABLES[language.value][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The name of a value of the API, such as `state.ready`; the value itself when nobody named it. */
export function named(group: string, value: string | null | undefined): string {
  if (!value) return "";
  const table: Record<string, string> = TABLES[language.value];
  return table[`${group}.${value}`] ?? value;
}
