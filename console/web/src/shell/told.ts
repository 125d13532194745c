// What the server said went wrong, in the language of the page. The API speaks English; sentences that people at the
// console meet are in a table, every other one is given as it is behind what its status means.
import type { Problem } from "@/api/client";
import { isChinese, t, type Key } from "@/i18n";
import { chinese, mistake } from "./sentences";

const MEANINGS: Partial<Record<number, Key>> = {
  400: "error.400", 401: "error.401", 403: "error.403", 404: "error.404", 409: "error.409", 422: "error.400", 429: "error.429", 500: "error.500", 503: "error.503",
};

/** A sentence of the server's for the person at the page. */
export function said(sentence: string, status: number): string {
  if (!isChinese.value) return sentence;
  const known = chinese(sentence);
  if (known !== null) return known;
  const meaning = MEANINGS[status];
  return meaning ? t("error.told", { meaning: t(meaning), sentence }) : sentence;
}

/** Everything that is wrong, `field: sentence` where it is about a field. */
export function mistakes(problem: Problem): readonly string[] {
  return problem.problems.length ? problem.problems.map((one) => (isChinese.value ? mistake(one) : one)) : [said(problem.message, problem.status)];
}
