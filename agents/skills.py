"""Which profiles can be used: work numbers, skills, levels, phones. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from agents.model import Agent
from hotline.errors import BadInput

LOWEST, HIGHEST = 1, 10
"""Levels of a skill."""

_NUMBER = re.compile(r"[0-9]{2,20}")
_PHONE = re.compile(r"[0-9]{2,12}")
_SKILL = re.compile(r"[a-z][a-z0-9_]{0,39}")


def check(agents: Sequence[Agent]) -> None:
    """Refuse profiles that cannot be used.

    Raises:
        BadInput: every mistake of every profile is listed.
    """
    problems = [f"{agent.agent or '(no number)'}: {problem}" for agent in agents for problem in _problems(agent)]
    problems += [f"{number}: this work number is there twice." for number in _twice(agent.agent for agent in agents)]
    if problems:
        raise BadInput("These agents cannot be used: " + " ".join(problems), tuple(problems))


def _problems(agent: Agent) -> list[str]:
    problems: list[str] = []
    if not _NUMBER.fullmatch(agent.agent):
        problems.append("a work number is 2 to 20 digits.")
    if not agent.name.strip() or len(agent.name) > 100:
        problems.append("a name of at most 100 characters is needed.")
    if agent.phone and not is_phone(agent.phone):
        problems.append("a phone is 2 to 12 digits.")
    if agent.second_phone and (not is_phone(agent.second_phone) or agent.second_phone == agent.phone):
        problems.append("a second phone is 2 to 12 digits, and another one than the first.")
    return problems + skill_problems(agent.skills)


def skill_problems(skills: dict[str, int]) -> list[str]:
    """What is wrong with skills and levels."""
    names = [
        f"skill {skill!r} is not made of lower-case letters, digits and _." for skill in skills if not _is_skill(skill)
    ]
    return names + [
        f"the level of {skill} is {level}, not {LOWEST} to {HIGHEST}."
        for skill, level in skills.items()
        if not LOWEST <= level <= HIGHEST
    ]


def is_phone(phone: str) -> bool:
    """Whether these digits can be a seat's phone."""
    return _PHONE.fullmatch(phone) is not None


def _is_skill(skill: str) -> bool:
    return _SKILL.fullmatch(skill) is not None


def _twice(values: Iterable[str]) -> list[str]:
    return sorted(value for value, times in Counter(values).items() if times > 1)
