"""Flow files: every mistake with its line, nothing dangerous, and what the checks find in flows that load."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hotline.errors import BadInput
from ivr.flow import Flow, MenuNode, QueueNode
from ivr.lint import Severity, lint
from ivr.loader import load_flow, load_folder
from ivr.model import Catalogue, SkillNeed
from ivr.placed import MAX_BYTES

pytestmark = pytest.mark.unit

GOOD = """flow: own
start: hello
human: seats
nodes:
  hello: {play: [recording_notice], next: ask}
  ask:
    menu: [menu_12329]
    keys: {"1": seats, "0": seats}
    timeout_s: 2.5
    tries: 3
    again: [try_again]
  seats: {queue: general, needs: ["legal:3", dialect]}
"""


def problems(text: str | bytes) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(BadInput) as caught:
        load_flow(content, "f.yaml")
    return list(caught.value.problems)


def test_good_file_becomes_a_flow_with_the_version_of_its_content() -> None:
    flow = load_flow(GOOD.encode(), "f.yaml")
    menu, seats = flow.nodes["ask"], flow.nodes["seats"]
    assert isinstance(menu, MenuNode)
    assert (menu.keys, menu.timeout_s, menu.tries, menu.line) == ({"1": "seats", "0": "seats"}, 2.5, 3, 6)
    assert isinstance(seats, QueueNode)
    assert seats.needs == (SkillNeed("legal", 3), SkillNeed("dialect", 1))
    assert flow.version != load_flow(GOOD.replace("2.5", "3").encode(), "f.yaml").version


def test_byte_order_mark_and_windows_line_ends_are_taken() -> None:
    assert load_flow(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(), "f.yaml").name == "own"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("next: ask", "next: nowhere", "f.yaml:5:1: the node hello leads to 'nowhere', which is no node"),
        ('"1": seats', '"1": hello', "f.yaml:5:1: the nodes hello > ask > hello are a loop"),
        ('"1": seats', '"1": ask', "f.yaml:6:1: the nodes ask > ask are a loop"),
        ('"1": seats', '"0": hello', "f.yaml:8:24: the key '0' stands here a second time (first in line 8)"),
        ('"1": seats', "12: seats", "f.yaml:8:12: '12' is not one key of 0-9, * and #"),
        ("human: seats", "human: hello", "f.yaml:3:8: human names the node 'hello', which is not a queue"),
        ("human: seats", "human: nobody", "f.yaml:3:8: human names the node 'nobody', which does not exist"),
        ("start: hello", "start: nobody", "f.yaml:2:8: start names the node 'nobody', which does not exist"),
        ("start: hello\n", "", "f.yaml:1:1: a flow needs start"),
        ("next: ask", "nxt: ask", "f.yaml:5:37: the node hello has no field 'nxt'; it has cut, next, play"),
        ("next: ask", "end: x", "f.yaml:5:3: the node hello needs exactly one of play, menu, hours, transition, queue"),
        ("tries: 3", "tries: 4", "f.yaml:10:12: tries '4' is not a whole number from 1 to 3"),
        ("tries: 3", "tries: many", "f.yaml:10:12: tries 'many' is not a whole number from 1 to 3"),
        ("timeout_s: 2.5", "timeout_s: 60", "f.yaml:9:16: timeout_s '60' is not a number of seconds from 1 to 15"),
        ("[recording_notice]", "[../etc/passwd]", "f.yaml:5:18: '../etc/passwd' is not the name of a prompt"),
        ("[recording_notice]", "[]", "f.yaml:5:17: play needs at least one prompt"),
        ("queue: general", 'queue: "{secret}"', "f.yaml:12:18: {secret} is unknown; use one of {external}, {hours}"),
        ("legal:3", "legal:11", "f.yaml:12:35: 'legal:11' is not a skill with a level"),
        ("hello: {", "Hello!: {", "f.yaml:5:3: the node name 'Hello!' must be of a-z"),
        ("flow: own", "flow: &a own", "f.yaml:1:7: anchors and aliases are not allowed"),
        ("flow: own", "flow: !!python/object:os.system own", "f.yaml:1:7: the tag"),
        ("flow: own", "flow: [own", "f.yaml:2:6:"),
        ("flow: own", "flow: own\n\tstart: x", "f.yaml:2:1:"),
        ("flow: own", "note: x", "f.yaml:1:1: a flow needs flow"),
    ],
)
def test_mistake_is_told_with_file_line_and_column(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    assert any(problem.startswith(expected) for problem in found), found


def test_all_mistakes_are_told_at_once() -> None:
    text = GOOD.replace("next: ask", "nxt: ask").replace("tries: 3", "tries: 4").replace("legal:3", "legal:11")
    assert {problem.split(":")[1] for problem in problems(text)} >= {"5", "10", "12"}


def test_key_zero_must_lead_to_a_person() -> None:
    text = GOOD.replace('"0": seats', '"0": shut') + "  shut: {end: closed}\n"
    assert problems(text) == ["f.yaml:6:1: the key 0 of the menu ask can lead to shut, which is not a person"]


def test_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert "anchors and aliases are not allowed" in problems("\n".join(lines))[0]


def test_file_of_ten_megabytes_is_refused_unread(tmp_path: Path) -> None:
    big = tmp_path / "big.yaml"
    big.write_bytes(b"# " + b"x" * (10 * MAX_BYTES))
    flows, wrong = load_folder(tmp_path)
    assert flows == {}
    assert "at most" in wrong[str(big)][0]


def test_deep_nesting_is_refused() -> None:
    assert "nested deeper" in problems("flow: " + "[" * 5000)[0]


def test_text_that_is_not_utf8_is_told_with_its_line() -> None:
    assert problems(b"flow: own\nstart: \xff\xfe\n") == ["f.yaml:2:8: the text is not UTF-8; save the file as UTF-8"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "just words", "[1, 2]", "a: 1\n---\nb: 2\n", "\x00", "a: b: c"])
def test_what_is_no_flow_at_all_gets_a_sentence(text: str) -> None:
    assert problems(text)


def test_bad_file_does_not_hide_the_good_ones_and_names_are_unique(flow_file: Callable[..., Path]) -> None:
    flow_file(GOOD, "a.yaml")
    flow_file(GOOD, "b.yaml")
    folder = flow_file("nonsense", "c.yaml").parent
    flows, wrong = load_folder(folder)
    assert list(flows) == ["own"]
    assert "already in" in wrong[str(folder / "b.yaml")][0]
    assert str(folder / "c.yaml") in wrong


def found(text: str, demo: Catalogue, lengths: dict[str, float] | None = None) -> list[tuple[Severity, int, str]]:
    flow = load_flow(text.encode(), "f.yaml")
    known = {"recording_notice": 2.0, "menu_12329": 3.0, "try_again": 2.0, "long": 6.1, "long2": 5.9} | (lengths or {})
    return [
        (one.severity, one.line, one.message)
        for one in lint({flow.name: flow}, demo, known.get)
        if one.file == "f.yaml"
    ]


def test_good_flow_has_nothing_to_look_at(demo: Catalogue) -> None:
    assert found(GOOD, demo) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (', "0": seats', "", (Severity.ERROR, 6, "the menu ask has no key 0 to a person")),
        (
            "[recording_notice]",
            "[missing]",
            (Severity.ERROR, 5, "the prompt missing of the node hello has no sound file"),
        ),
        ("[try_again]", "[gone]", (Severity.ERROR, 6, "the prompt gone of the node ask has no sound file")),
        ("[recording_notice]", "[long]", (Severity.ERROR, 5, "the prompt long is 6.1 s long; 6 s at most")),
        (
            "[recording_notice]",
            "[long2]",
            (Severity.WARNING, 12, "8.9 s of prompts before a person (hello > ask > seats); 6 s are good"),
        ),
        ("timeout_s: 2.5", "timeout_s: 12", (Severity.WARNING, 6, "who presses nothing in ask waits 17 s")),
        ("next: ask", "next: seats", (Severity.WARNING, 6, "no way leads to the node ask")),
        ('"1": seats', '"1": shut', (Severity.WARNING, 13, "a caller who reaches shut never speaks with a person")),
        ("flow: own", "flow: self", (Severity.WARNING, 6, "12345 itself has the menu ask: a person at once is better")),
        ("next: ask", "next: when", (Severity.ERROR, 13, "the hours profile nobody is not defined")),
    ],
)
def test_unwise_flow_is_told_with_its_line(
    demo: Catalogue, old: str, new: str, expected: tuple[Severity, int, str]
) -> None:
    text = GOOD.replace(old, new, 1)
    text += {"shut": "  shut: {end: closed}\n", "when": "  when: {hours: nobody, open: ask, closed: seats}\n"}.get(
        new.split(": ")[-1], ""
    )
    assert expected in found(text, demo)


def test_menu_below_a_menu_is_an_error(demo: Catalogue) -> None:
    deeper = '  deeper: {menu: [menu_12329], keys: {"0": seats}}\n'
    text = GOOD.replace('"1": seats', '"1": deeper') + deeper
    assert (Severity.ERROR, 13, "the menu deeper lies below the menu ask: one level") in found(text, demo)


def test_prompts_of_every_number_that_uses_the_flow_are_looked_for(demo: Catalogue) -> None:
    text = GOOD.replace("flow: own", "flow: whole").replace("[recording_notice]", '["merged_{number}"]')
    told = [message for _, _, message in found(text, demo, {"merged_96119": 3.0, "merged_12356": 3.0})]
    assert told == ["the prompt merged_12336 of the node hello has no sound file"]


def test_missing_flows_of_modes_and_of_entries_are_errors(demo: Catalogue) -> None:
    told = [one.message for one in lint({}, demo, lambda _: 1.0)]
    assert "12329 names the flow menu_12329, which does not exist" in told
    assert any(message.startswith("the flow self is missing") for message in told)


def test_shipped_flows_have_no_errors(shipped_flows: dict[str, Flow], demo: Catalogue) -> None:
    findings = lint(shipped_flows, demo, lambda _: 2.0)
    assert [one for one in findings if one.severity is Severity.ERROR] == []


def test_queue_may_ask_for_an_agent() -> None:
    text = (
        b"flow: f\nstart: a\nhuman: a\nnodes:\n  a: {queue: general, ask_agent: [ask_agent], digits: 5, agent_s: 30}\n"
    )
    node = load_flow(text, "f.yaml").nodes["a"]
    assert isinstance(node, QueueNode)
    assert (node.ask, node.digits, node.agent_s) == (("ask_agent",), 5, 30)
    with pytest.raises(BadInput):
        load_flow(text.replace(b"digits: 5", b"digits: 50"), "f.yaml")
