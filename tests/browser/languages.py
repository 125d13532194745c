"""What stands on a page and should not: words of the other language, keys that nobody named."""

import json
import re
from functools import cache

from playwright.sync_api import Page

from tests.house import ROOT

LANGUAGES = ("zh-CN", "en")
LOCALES = ROOT / "console" / "web" / "src" / "locales"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
RAW = re.compile(r"[a-z]+(_[a-z]+)+|[a-z]+(\.[a-z]\w+)+")
"""A key of a table, or a value of the API, as nobody speaks."""
SHOWN = """() => {
  const texts = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const place = walk.currentNode.parentElement;
    if (place.closest("button[lang], script, style, noscript, [translate=no]")) continue;
    if (place.checkVisibility()) texts.push(walk.currentNode.textContent.trim());
  }
  for (const one of document.querySelectorAll("[aria-label], [title], [placeholder]"))
    for (const name of ["aria-label", "title", "placeholder"]) texts.push((one.getAttribute(name) || "").trim());
  return [...new Set(texts)].filter((text) => text);
}"""
"""Every text of a page but data that is marked as such."""


def forgotten(page: Page, language: str) -> list[str]:
    """What is on this page of `language`, and is not of it."""
    texts: list[str] = page.evaluate(SHOWN)
    other = next(one for one in LANGUAGES if one != language)
    is_other = [text for text in texts if bool(CHINESE.search(text)) is (other == "zh-CN")]
    foreign = [text for text in is_other if any(one.fullmatch(text) for one in _only(other))]
    return foreign + [text for text in texts if RAW.fullmatch(text)]


@cache
def _only(language: str) -> list[re.Pattern[str]]:
    """What only this language says, with anything where a value stands."""
    both = set(_table(next(one for one in LANGUAGES if one != language)).values())
    words = {text for text in _table(language).values() if text not in both and re.sub(r"\{\w+\}|\W", "", text)}
    parts = ([re.escape(part) for part in re.split(r"\{\w+\}", text)] for text in sorted(words))
    return [re.compile(".+?".join(part)) for part in parts]


def _table(language: str) -> dict[str, str]:
    table: dict[str, str] = json.loads((LOCALES / f"{language}.json").read_text("utf-8"))
    return table
