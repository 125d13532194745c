// What went wrong, said to the person once.
import { ElMessage } from "element-plus";
import { Problem } from "@/api/client";
import { t } from "@/i18n";
import { said } from "@/shell/told";

export function sayProblem(error: unknown): void {
  ElMessage.error({ message: error instanceof Problem ? said(error.message, error.status) : t("error.network"), grouping: true, duration: 5000 });
}

/** Do it; a failure is told to the person. Says whether it worked. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    sayProblem(error);
    return false;
  }
}
