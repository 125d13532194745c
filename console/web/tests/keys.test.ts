import { describe, expect, it } from "vitest";
import { coalesced } from "@/api/feed";
import { keyName } from "@/shell/keys";

const pressed = (key: string, more: Partial<KeyboardEvent> = {}): string => keyName({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });

describe("keys", () => {
  it("have the names that stand on the buttons", () => {
    expect([pressed("F2"), pressed(" "), pressed("j"), pressed("Enter", { ctrlKey: true })]).toEqual(["F2", "Space", "J", "Ctrl+Enter"]);
  });
});

describe("looks at the server", () => {
  it("never overlap, and news during one mean one more", async () => {
    let running = 0;
    let most = 0;
    let looks = 0;
    const release: (() => void)[] = [];
    const look = coalesced(async () => {
      looks += 1;
      most = Math.max(most, (running += 1));
      await new Promise<void>((done) => release.push(done));
      running -= 1;
    });
    const first = look();
    void look();
    void look();
    release.shift()?.();
    await new Promise((done) => setTimeout(done, 0));
    release.shift()?.();
    await first;
    expect([looks, most]).toEqual([2, 1]);
  });
});
