// The feed of changes: says that something changed, never what. Pages ask again, and again after every reconnect.
import { onScopeDispose, ref } from "vue";

type Listener = (kinds: Set<string>) => void;
const EVERYTHING = new Set(["floor", "tickets", "own", "words"]);

export const isConnected = ref(true);
const listeners = new Set<Listener>();
let source: EventSource | null = null;

function open(): void {
  source = new EventSource("/api/v1/feed");
  source.onopen = () => {
    isConnected.value = true;
    tell(EVERYTHING);
  };
  source.onmessage = (event: MessageEvent<string>) => {
    tell(new Set((JSON.parse(event.data) as { kinds: string[] }).kinds));
  };
  source.onerror = () => {
    isConnected.value = false;
    // A refused feed is closed for good by the browser; asking again finds out why.
    if (source?.readyState === EventSource.CLOSED) {
      close();
      window.setTimeout(() => {
        tell(EVERYTHING);
        if (listeners.size && !source) open();
      }, 2000);
    }
  };
}

function close(): void {
  source?.close();
  source = null;
}

function tell(kinds: Set<string>): void {
  for (const listener of listeners) listener(kinds);
}

/** Hear of changes while the component lives. */
export function useFeed(listener: Listener): void {
  listeners.add(listener);
  if (!source) open();
  onScopeDispose(() => {
    listeners.delete(listener);
    if (!listeners.size) close();
  });
}

/** Runs one look at a time: what is asked for meanwhile is one more look afterwards. */
export function coalesced(look: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let again = false;
  const run = async (): Promise<void> => {
    do {
      again = false;
      await look();
    } while (again);
  };
  return () => {
    if (running) {
      again = true;
      return running;
    }
    running = run().finally(() => (running = null));
    return running;
  };
}

/** Runs a look once in `pause` milliseconds at most: for what is good to know and not about oneself. */
export function calmly(look: () => Promise<void>, pause: number): () => void {
  let timer = 0;
  return () => {
    timer ||= window.setTimeout(() => {
      timer = 0;
      void look().catch(() => undefined);
    }, pause);
  };
}
