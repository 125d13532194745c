import re

import pytest

from telephony.readiness import wait_ready
from telephony.requirements import account_problems
from telephony.startlog import EXPECTED
from tests.asterisk_node import AsteriskNode

pytestmark = pytest.mark.integration


async def test_node_is_ready_and_its_account_has_exactly_the_rights_it_needs(asterisk_node: AsteriskNode) -> None:
    ready = await wait_ready(asterisk_node.ami, 5)
    assert ready.version.startswith("2")
    assert account_problems(ready.actions) == ()


def test_sound_start_says_nothing_but_what_is_expected(asterisk_node: AsteriskNode) -> None:
    assert asterisk_node.instance.start_problems() == ()
    said = asterisk_node.instance.places.output.read_text().splitlines()
    greeting = r"PBX UUID: .*|Setting max files open to \d+|"
    expected = greeting + "|".join(f"(?:{pattern})" for pattern, _ in EXPECTED)
    assert [line for line in said if not re.fullmatch(expected, line)] == []
