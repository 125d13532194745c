
import pytest

from telephony.readiness import wait_ready
from telephony.requirements import account_problems
from tests.asterisk_node import AsteriskNode

pytestmark = pytest.mark.integration


async def test_node_is_ready_and_its_account_has_exactly_the_rights_it_needs(asterisk_node: AsteriskNode) -> None:
    ready = await wait_ready(asterisk_node.ami, 5)
    assert ready.version.startswith("2")
    assert account_problems(ready.actions) == ()
    assert asterisk_node.instance.start_problems() == ()
