"""Reads profiles from YAML: a list of agents, every mistake reported at once."""

from pathlib import Path

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from agents import skills
from agents.model import Agent
from agents.presence import DATA
from hotline.errors import BadInput

DEMO = DATA / "demo_agents.yaml"
"""The demonstration's agents."""


class _Written(Agent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A profile as people write it: a field that nobody knows is a mistake."""


def load(file: Path) -> list[Agent]:
    """The agents of a file.

    Raises:
        BadInput: the file or some agents cannot be used; every mistake is listed.
    """
    try:
        read = YAML(typ="safe").load(file.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, YAMLError) as error:
        raise BadInput(f"{file} cannot be read as YAML: {error}") from error
    if not isinstance(read, list):
        raise BadInput(f"{file} is not a list of agents.")
    agents, problems = _agents(read)
    try:
        skills.check(agents)
    except BadInput as error:
        problems += error.problems
    if problems:
        raise BadInput(f"{file} has mistakes: " + " ".join(problems), tuple(problems))
    return agents


def _agents(items: list[object]) -> tuple[list[Agent], list[str]]:
    agents: list[Agent] = []
    problems: list[str] = []
    for number, item in enumerate(items, 1):
        try:
            written = msgspec.convert(item, _Written)
        except msgspec.ValidationError as error:
            problems.append(f"agent {number}: {error}.")
        else:
            agents.append(Agent(**msgspec.structs.asdict(written)))
    return agents, problems
