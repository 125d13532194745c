"""Needs written as expressions: beside Python's own reading of them, and every mistake in words."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from acd.expressions import LONGEST, MOST, parse
from acd.model import Need
from acd.records import meets
from hotline.errors import BadInput

pytestmark = pytest.mark.unit

SKILLS = ("housing", "law", "dialect.yue", "english")


@pytest.mark.parametrize(
    ("text", "demands"),
    [
        ("", [{}]),
        ("  ", [{}]),
        ("housing", [{"housing": 1}]),
        ("housing>=10", [{"housing": 10}]),
        (" housing >= 3 and law ", [{"housing": 3, "law": 1}]),
        ("law or housing>=2", [{"law": 1}, {"housing": 2}]),
        ("a and b or c", [{"a": 1, "b": 1}, {"c": 1}]),
        ("a and (b or c)", [{"a": 1, "b": 1}, {"a": 1, "c": 1}]),
        ("(a or b) and (c or d)", [{"a": 1, "c": 1}, {"a": 1, "d": 1}, {"b": 1, "c": 1}, {"b": 1, "d": 1}]),
        ("a or a or a>=2", [{"a": 1}, {"a": 2}]),
        ("a>=2 and a>=5", [{"a": 5}]),
        ("((a))", [{"a": 1}]),
        ("android and order", [{"android": 1, "order": 1}]),
        ("@1007 and 心理>=2 and a-b", [{"@1007": 1, "心理": 2, "a-b": 1}]),
        ("12329fund", [{"12329fund": 1}]),
    ],
)
def test_expression_is_a_choice_of_demands(text: str, demands: list[dict[str, int]]) -> None:
    assert [{need.skill: need.level for need in needs} for needs in parse(text)] == demands
    assert parse(text)[0] == tuple(sorted(parse(text)[0], key=lambda need: need.skill))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a and", "The expression ends where a skill belongs."),
        ("a >=", "The expression ends where a level belongs."),
        ("a >= b", "The expression has 'b' where a level from 1 to 10 belongs."),
        ("a>=0", "The expression has '0' where a level from 1 to 10 belongs."),
        ("a>=11", "The expression has '11' where a level from 1 to 10 belongs."),
        ("(a", "The expression lacks ')'."),
        ("a)", "The expression has ')' where 'and', 'or' or the end belongs."),
        ("a b", "The expression has 'b' where 'and', 'or' or the end belongs."),
        ("or a", "The expression has 'or' where a skill belongs."),
        ("and", "The expression has 'and' where a skill belongs."),
        (")", "The expression has ')' where a skill belongs."),
        (">=", "The expression has '>=' where a skill belongs."),
        ("5", "The expression has '5' where a skill belongs."),
        ("a & b", "The expression cannot be read from '& b' on."),
        ("a > 3", "The expression cannot be read from '> 3' on."),
        (" and ".join(["(a or b)"] * 3 + ["(c or d)"] * 6), f"The expression stands for more than {MOST} demands."),
        (
            " or ".join(f"a{number}" for number in range(MOST + 1)),
            f"The expression stands for more than {MOST} demands.",
        ),
        ("(" * (LONGEST + 1), f"The expression has more than {LONGEST} words."),
    ],
)
def test_mistake_is_told_in_one_sentence(text: str, why: str) -> None:
    with pytest.raises(BadInput) as told:
        parse(text)
    assert str(told.value) == why


def test_as_much_as_is_allowed_is_read() -> None:
    assert len(parse(" or ".join(f"a{number}" for number in range(MOST)))) == MOST
    assert parse("(" * 73 + "a>=2" + ")" * 73)[0] == (Need("a", 2),)
    assert len(parse(" and ".join(f"a{number}" for number in range(75)))[0]) == 75


atoms = st.builds(lambda skill, level: f"{skill}>={level}", st.sampled_from(SKILLS), st.integers(1, 4))
expressions = st.recursive(
    st.one_of(atoms, st.sampled_from(SKILLS)),
    lambda inner: st.builds(
        lambda one, word, other, bare: f"{one} {word} {other}" if bare else f"({one} {word} {other})",
        inner,
        st.sampled_from(("and", "or")),
        inner,
        st.booleans(),
    ),
    max_leaves=6,
)


@given(text=expressions, skills=st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 4)))
def test_expression_means_what_the_same_words_mean_in_python(text: str, skills: dict[str, int]) -> None:
    plain = text
    for skill in SKILLS:
        plain = plain.replace(f"{skill}>=", f"has.get({skill!r}, 0) @ ").replace(skill, f"has.get({skill!r}, 0) >= 1")
        plain = plain.replace(f"has.get('has.get({skill!r}, 0) >= 1', 0) @ ", f"has.get({skill!r}, 0) >= ")
    expected = eval(plain, {"has": skills})  # noqa: S307 words of this test alone
    assert any(meets(skills, needs) for needs in parse(text)) is bool(expected)


@given(text=st.text(alphabet="ab()>=3 or and", max_size=40))
def test_anything_is_either_read_or_refused(text: str) -> None:
    try:
        assert parse(text)
    except BadInput:
        with pytest.raises(BadInput, match=r"^The expression .*[.]$"):
            parse(text)
