// What every form of the back office does with its button: one saving at a time, and every mistake that the server names.
import { ref, type Ref } from "vue";
import { Problem } from "@/api/client";
import { t } from "@/i18n";
import { mistakes } from "@/shell/told";

export function useSaving(work: () => Promise<void>): { problems: Ref<readonly string[]>; isBusy: Ref<boolean>; save: () => Promise<void> } {
  const problems = ref<readonly string[]>([]);
  const isBusy = ref(false);

  async function save(): Promise<void> {
    isBusy.value = true;
    problems.value = [];
    try {
      await work();
    } catch (error) {
      problems.value = error instanceof Problem ? mistakes(error) : [t("error.network")];
    } finally {
      isBusy.value = false;
    }
  }
  return { problems, isBusy, save };
}
