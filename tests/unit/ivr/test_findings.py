"""Findings in two languages: every code has both sentences with the same blanks; whoever asks hears the right one."""

import re

import pytest

from ivr.flow import Flow
from ivr.lint import Finding, Severity, lint, sentences
from ivr.loader import load_flow
from ivr.model import Catalogue

pytestmark = pytest.mark.unit

BLANK = re.compile(r"\{(\w+)\}")
BAD = """
flow: own
start: ask
human: seats
nodes:
  ask: {menu: [menu_12329], keys: {"1": seats, "2": shut}}
  shut: {end: closed}
  seats: {queue: general}
"""


def test_both_sentences_of_every_code_have_the_same_blanks() -> None:
    for code, sentence in sentences().items():
        assert set(BLANK.findall(sentence.en)) == set(BLANK.findall(sentence.zh)), code
        assert re.search(r"[\u4e00-\u9fff]", sentence.zh), code


def test_a_finding_is_told_in_the_language_that_was_asked_for(demo: Catalogue) -> None:
    flow: Flow = load_flow(BAD.encode(), "own.yaml")
    found = {one.code: one for one in lint({"own": flow}, demo, lambda _: 1.0)}
    zero = found["menu_without_zero"]
    assert (zero.values, zero.severity) == ({"menu": "ask"}, Severity.ERROR)
    assert str(zero) == "own.yaml:6:1: error: the menu ask has no key 0 to a person"
    assert zero.told(chinese=True) == "own.yaml:6:1: error: 菜单 ask 没有设置按 0 转人工"
    assert found["no_person"].chinese == "走到 shut 的市民接不到人工"


def test_a_code_without_a_sentence_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        _ = Finding(code="nothing", file="f", line=1).message
