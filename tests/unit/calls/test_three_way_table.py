"""Every stated outcome of a three-way is what the code decides, and the page that people read says the same."""

from pathlib import Path

import pytest

from calls import outcomes, parties
from calls.outcomes import GIVEN, REFUSED, Row, happenings, picture, render, rows

pytestmark = pytest.mark.unit

DOCUMENT = Path(__file__).parents[3] / "docs/three-way.md"


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.given}: {row.when}")
def test_what_is_stated_is_what_is_decided(row: Row) -> None:
    given = GIVEN[row.given]
    step = parties.decide(given, happenings(given)[row.when])
    decided = REFUSED if step.refused else picture(step.talk, step.ending.value if step.ending else "")
    assert decided == row.then
    assert (step.talk == given) if step.refused else True


def test_every_event_of_every_situation_has_exactly_one_outcome() -> None:
    possible = [(name, when) for name, given in GIVEN.items() for when in happenings(given)]
    assert [(row.given, row.when) for row in rows()] == possible
    assert len(set(possible)) == len(possible)


def test_each_example_is_at_rest() -> None:
    for name, given in GIVEN.items():
        assert parties.decide(given, outcomes.everybody(given)).talk == given, name


def test_the_page_is_rendered_from_the_table() -> None:
    assert DOCUMENT.read_text("utf-8") == render(), "write it anew: python -m scripts.three_way"
