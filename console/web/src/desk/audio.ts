// Sound of the desk: which devices, how loud, the ring tone. Needs a page that was opened by a person's click.
import { onScopeDispose, ref, watch, type Ref } from "vue";

const KEPT_IN = "hotline.microphone";
const KEPT_OUT = "hotline.speaker";
const LOUDEST_DB = -6;
const SILENT_DB = -60;

let context: AudioContext | null = null;
export function audioContext(): AudioContext {
  context ??= new AudioContext();
  if (context.state === "suspended") void context.resume();
  return context;
}

export const chosenIn = ref(localStorage.getItem(KEPT_IN) ?? "");
export const chosenOut = ref(localStorage.getItem(KEPT_OUT) ?? "");
watch(chosenIn, (id) => localStorage.setItem(KEPT_IN, id));
watch(chosenOut, (id) => localStorage.setItem(KEPT_OUT, id));

/** The microphone as chosen, and no other while it is there; the default one when that is gone. */
export async function openMicrophone(): Promise<MediaStream> {
  const sound = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
  const open = (audio: MediaTrackConstraints): Promise<MediaStream> => navigator.mediaDevices.getUserMedia({ audio });
  if (!chosenIn.value) return open(sound);
  return open({ ...sound, deviceId: { exact: chosenIn.value } }).catch((refused: { name?: string }) => {
    if (refused.name === "NotAllowedError") throw refused;
    return open(sound);
  });
}

export async function devices(): Promise<{ inputs: MediaDeviceInfo[]; outputs: MediaDeviceInfo[] }> {
  const all = await navigator.mediaDevices.enumerateDevices();
  const named = all.filter((one) => one.deviceId && one.deviceId !== "default");
  return { inputs: named.filter((one) => one.kind === "audioinput"), outputs: named.filter((one) => one.kind === "audiooutput") };
}

/** 0 to 1 on a scale of decibels, as ears hear it. */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const one of samples) sum += one * one;
  const db = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.min(1, Math.max(0, (db - SILENT_DB) / (LOUDEST_DB - SILENT_DB)));
}

/** How loud a stream is, ten times a second. */
export function useLevel(stream: Ref<MediaStream | null>): Ref<number> {
  const level = ref(0);
  let stop = (): void => undefined;
  const begin = (heard: MediaStream | null): void => {
    stop();
    level.value = 0;
    if (!heard?.getAudioTracks().length) return;
    const source = audioContext().createMediaStreamSource(heard);
    const analyser = audioContext().createAnalyser();
    analyser.fftSize = 1024;
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const timer = window.setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      level.value = loudness(samples);
    }, 100);
    stop = () => {
      window.clearInterval(timer);
      source.disconnect();
      stop = () => undefined;
    };
  };
  watch(stream, begin, { immediate: true });
  onScopeDispose(() => stop());
  return level;
}

/** Rings like an office telephone: 450 Hz, one second on, four off. Returns what silences it. */
export function ringTone(): () => void {
  const audio = audioContext();
  const tone = audio.createOscillator();
  const gain = audio.createGain();
  tone.frequency.value = 450;
  gain.gain.value = 0;
  tone.connect(gain).connect(audio.destination);
  const ring = (): void => {
    gain.gain.setTargetAtTime(0.16, audio.currentTime, 0.01);
    gain.gain.setTargetAtTime(0, audio.currentTime + 1, 0.01);
  };
  tone.start();
  ring();
  const timer = window.setInterval(ring, 5000);
  return () => {
    window.clearInterval(timer);
    tone.stop();
    gain.disconnect();
  };
}
