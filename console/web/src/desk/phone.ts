// The desk's telephone as the page sees it.
import { defineStore } from "pinia";
import { computed, ref, shallowRef, watch } from "vue";
import { post } from "@/api/client";
import { serverNow } from "@/time";
import { chosenIn, openMicrophone, ringTone } from "./audio";
import { Softphone, type Heard, type Registration, type Talk } from "./softphone";

export type PhoneKind = "page" | "desk";
const KEPT = "hotline.phone";
/** Tells this page from the one before it, when it was loaded anew. */
const PAGE = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
const TAB_WAIT_MS = 3000;

/** One tab at a time has the telephone: a second one would take the call from the first. Ends with the page. */
async function takeLine(): Promise<boolean> {
  if (!("locks" in navigator)) return true;
  try {
    await new Promise<void>((granted, refused) => {
      const asked = { signal: AbortSignal.timeout(TAB_WAIT_MS) };
      navigator.locks.request("hotline.phone", asked, () => (granted(), new Promise(() => undefined))).catch(refused);
    });
    return true;
  } catch {
    return false;
  }
}

export const usePhone = defineStore("phone", () => {
  const kind = ref<PhoneKind>(localStorage.getItem(KEPT) === "desk" ? "desk" : "page");
  const registration = ref<Registration>("off");
  const talk = ref<Talk>("none");
  const isMuted = ref(false);
  /** What was asked of the talk is done once the telephone is at the exchange again. */
  const isLate = ref(false);
  const isRingLost = ref(false);
  const heldSince = ref(0);
  const microphone = shallowRef<MediaStream | null>(null);
  const heard = shallowRef<MediaStream | null>(null);
  const isMicrophoneRefused = ref(false);
  const isBusy = computed(() => talk.value !== "none");
  let softphone: Softphone | null = null;
  let hasLine = false;
  let silence = (): void => undefined;

  watch(kind, (chosen) => localStorage.setItem(KEPT, chosen));
  watch(talk, (now, before) => {
    silence();
    silence = now === "ringing" ? ringTone() : () => undefined;
    if (now === "held") heldSince.value = serverNow();
    if (now !== "held" && before === "held") heldSince.value = 0;
  });
  watch(chosenIn, async () => {
    if (!microphone.value) return;
    await takeMicrophone();
    if (microphone.value) await softphone?.replaceMicrophone(microphone.value);
  });

  function listen(news: Heard): void {
    if (news.registration) registration.value = news.registration;
    if (news.talk) talk.value = news.talk;
    if (news.muted !== undefined) isMuted.value = news.muted;
    if (news.isLate !== undefined) isLate.value = news.isLate;
    if (news.isRingLost !== undefined) isRingLost.value = news.isRingLost;
    if (news.stream !== undefined) heard.value = news.stream;
  }

  async function takeMicrophone(): Promise<boolean> {
    const former = microphone.value;
    try {
      microphone.value = await openMicrophone();
      isMicrophoneRefused.value = false;
      former?.getTracks().forEach((track) => track.stop());
    } catch {
      isMicrophoneRefused.value = true;
    }
    return !isMicrophoneRefused.value;
  }

  /** Whether there is something to talk with: asked before a seat signs in. */
  function prepare(): Promise<boolean> {
    return kind.value === "desk" || microphone.value ? Promise.resolve(true) : takeMicrophone();
  }

  /** Register in the page, after the sign-in: that makes the account one for a phone on the desk. */
  async function start(): Promise<boolean> {
    if (kind.value === "desk") return true;
    if (softphone) return true;
    if (!(await prepare())) return false;
    hasLine ||= await takeLine();
    if (!hasLine) {
      registration.value = "elsewhere";
      return false;
    }
    const account = await post("/api/v1/desk/phone", { body: { kind: "page", page: PAGE } });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    softphone = new Softphone(`${scheme}://${location.host}/sip`, account, () => microphone.value ?? new MediaStream(), listen);
    softphone.start();
    return true;
  }

  /** The page is closing. Nothing is hung up: the citizen is looked after, here again or by another seat. */
  function leave(): void {
    if (!softphone || talk.value === "none" || talk.value === "ringing") return;
    void fetch("/api/v1/desk/phone/gone", {
      method: "POST",
      keepalive: true,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ page: PAGE }),
    }).catch(() => undefined);
  }

  function stop(): void {
    softphone?.stop();
    softphone = null;
    registration.value = "off";
    microphone.value?.getTracks().forEach((track) => track.stop());
    microphone.value = null;
  }

  return {
    kind, registration, talk, isMuted, isLate, isRingLost, heldSince, microphone, heard, isMicrophoneRefused, isBusy, prepare, start, stop, leave,
    answer: () => softphone?.answer(),
    hangUp: () => softphone?.hangUp(),
    letGo: () => softphone?.letGo(),
    hold: (wanted: boolean) => softphone?.hold(wanted),
    mute: (wanted: boolean) => softphone?.mute(wanted),
    press: (key: string) => softphone?.press(key),
  };
});
