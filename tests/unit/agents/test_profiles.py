"""Which profiles can be used, and how they are read and kept."""

from pathlib import Path

import pytest

from agents import loader, presence, skills, tables
from agents.model import Agent, AgentKind, SeatState
from agents.store_sql import SqlAgents
from hotline.database import metadata
from hotline.errors import BadInput
from hotline.sql import connect

pytestmark = pytest.mark.unit


def problems(*agents: Agent) -> tuple[str, ...]:
    with pytest.raises(BadInput) as caught:
        skills.check(agents)
    return caught.value.problems


def test_usable_profiles_pass() -> None:
    skills.check([Agent(agent="8001", name="A", phone="8001", skills={"general": 1, "housing_fund": 10})])


def test_every_mistake_of_every_profile_is_told() -> None:
    found = problems(
        Agent(agent="8001a", name=" ", phone="8-1", skills={"General": 0, "law": 11}), Agent(agent="8002", name="B")
    )
    assert len(found) == 6
    assert all(each.startswith("8001a: ") for each in found)


def test_work_number_belongs_to_one_agent() -> None:
    assert problems(Agent(agent="8001", name="A"), Agent(agent="8001", name="B")) == (
        "8001: this work number is there twice.",
    )


@pytest.mark.parametrize(
    ("phone", "fits"), [("80", True), ("8" * 12, True), ("8", False), ("8" * 13, False), ("8x", False)]
)
def test_phone_is_two_to_twelve_digits(phone: str, fits: bool) -> None:
    assert skills.is_phone(phone) is fits


def test_demonstration_has_operators_experts_and_a_supervisor() -> None:
    agents = loader.load(loader.DEMO)
    kinds = [agent.kind for agent in agents]
    assert (kinds.count(AgentKind.OPERATOR), kinds.count(AgentKind.EXPERT), kinds.count(AgentKind.SUPERVISOR)) == (
        4,
        4,
        1,
    )
    assert {"housing_fund", "social_security", "legal", "public_health", "general"} <= {
        skill for agent in agents for skill in agent.skills
    }


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("- {agent: '8001', name: A, colour: red}\n- {agent: '8002'}\n- {agent: '80x', name: B}\n", 3),
        ("- {agent: '8001', name: A, skills: {law: high}}", 1),
        ("agent: 8001", 0),
        ("- [", 0),
    ],
)
def test_file_with_mistakes_is_refused_with_all_of_them(tmp_path: Path, text: str, mistakes: int) -> None:
    file = tmp_path / "agents.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(BadInput) as caught:
        loader.load(file)
    assert len(caught.value.problems) == mistakes
    assert str(file) in str(caught.value)


def test_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        loader.load(tmp_path / "nowhere.yaml")


async def test_profiles_come_back_from_the_database_as_they_were(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path / 'agents.db'}")
    await database.write(lambda connection: connection.run_sync(metadata.create_all, tables=[tables.agents]))
    store = SqlAgents(database)
    agents = loader.load(loader.DEMO)
    await store.put(agents)
    changed = Agent(agent="8001", name="Z", units=("u",), skills={"law": 2}, active=False)
    await store.put([changed])
    await store.put([])
    assert await store.all() == [changed, *agents[1:]]
    assert await store.get("8001") == changed
    assert await store.get("9999") is None
    await database.close()


def test_reasons_that_the_floor_gives_cannot_be_chosen() -> None:
    assert presence.may_choose("meal")
    assert not any(
        presence.may_choose(code) for code in ("no_answer", "unreachable", "rejected", "unstated", "fishing")
    )
    assert {"no_answer", "unreachable", "rejected", "busy"} <= set(presence.pause_reasons())


def test_every_state_says_what_may_be_asked() -> None:
    assert set(presence.ALLOWED) == set(SeatState)
    assert all(presence.Action.SIGN_OUT in actions for actions in presence.ALLOWED.values())
