// Who is logged in, and what they may do.
import { defineStore } from "pinia";
import { ref } from "vue";
import { get, post, whenShownOut, type Me } from "@/api/client";

export const useWho = defineStore("who", () => {
  const me = ref<Me | null>(null);

  async function load(): Promise<boolean> {
    try {
      me.value = await get("/api/v1/me");
    } catch {
      me.value = null;
    }
    return me.value !== null;
  }

  function may(permission: string): boolean {
    return me.value?.permissions.some((one) => one === permission) ?? false;
  }

  async function leave(): Promise<void> {
    await post("/api/v1/logout").catch(() => undefined);
    location.assign("/login");
  }

  whenShownOut(() => {
    if (me.value) location.assign("/login");
  });
  return { me, load, may, leave };
});
