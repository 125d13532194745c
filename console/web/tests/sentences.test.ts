import { describe, expect, it } from "vitest";
import { chinese, mistake } from "@/shell/sentences";

describe("what the server said went wrong", () => {
  it("is told in Chinese where the sentence is known, with its names", () => {
    expect(chinese("There is no agent 8009.")).toBe("没有坐席 8009。");
    expect(chinese("That seat is busy: choose another one, or wait.")).toBe("该坐席忙，请另选或稍候。");
    expect(chinese("Something nobody wrote down.")).toBeNull();
  });

  it("keeps the field of a mistake in front", () => {
    expect(mistake("body.name: Field required")).toBe("body.name: 必填");
    expect(mistake("number: odd")).toBe("number: odd");
    expect(mistake("The old password is wrong.")).toBe("原密码错误。");
  });
});
