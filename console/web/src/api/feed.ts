// The feed of changes: says that something changed, never what. Pages ask again, and again after every reconnect.
import { onScopeDispose, ref } from "vue";

type Listener = (kinds: Set<string>) => void;
const WORDS = "words";
const EVERYTHING = new Set(["floor", "tickets", "own", WORDS]);

export const isConnected = ref(true);
const listeners = new Set<Listener>();
/** Those who want to hear that something was said in a talk: that is often, and changes nothing else. */
const readers = new Set<Listener>();
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
        if (isHeard() && !source) open();
      }, 2000);
    }
  };
}

function close(): void {
  source?.close();
  source = null;
}

const isHeard = (): boolean => listeners.size + readers.size > 0;

function tell(kinds: Set<string>): void {
  const changes = new Set([...kinds].filter((kind) => kind !== WORDS));
  if (changes.size) for (const listener of listeners) listener(changes);
  if (kinds.has(WORDS)) for (const reader of readers) reader(kinds);
}

/** Hear of changes while the component lives. */
export function useFeed(listener: Listener): void {
  hear(listeners, listener);
}

/** Hear that something was said in a talk that one may read. */
export function useWordsFeed(reader: () => void): void {
  hear(readers, reader);
}

function hear(among: Set<Listener>, listener: Listener): void {
  among.add(listener);
  if (!source) open();
  onScopeDispose(() => {
    among.delete(listener);
    if (!isHeard()) close();
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
