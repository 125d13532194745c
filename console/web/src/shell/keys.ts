// Keys of a room: a name as it stands on the button, and what it does.
import { onScopeDispose } from "vue";

export type Keys = Record<string, () => void>;

/** The name of a pressed key, such as `F2` or `Ctrl+Enter`. */
export function keyName(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">): string {
  const key = event.key === " " ? "Space" : event.key.length === 1 ? event.key.toUpperCase() : event.key;
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${key}`;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}

/** Function keys and combinations work everywhere; single letters not while somebody types. */
export function useKeys(keys: Keys): void {
  const listen = (event: KeyboardEvent): void => {
    const name = keyName(event);
    const act = keys[name];
    if (!act || event.repeat || (/^(.|Space|Arrow.*)$/.test(name) && isTyping(event.target))) return;
    event.preventDefault();
    act();
  };
  window.addEventListener("keydown", listen);
  onScopeDispose(() => window.removeEventListener("keydown", listen));
}
