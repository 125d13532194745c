"""An Asterisk that somebody else runs: the hotline commands it, and does not start or end it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asterisk_node import AsteriskNode
from tests.house import Server
from tests.phones import ended, wait_hears

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[AsteriskNode]:
    made = AsteriskNode(tmp_path / "data").start()
    yield made
    made.stop()


def test_a_call_on_it_is_answered_and_it_lives_on_when_we_end(node: AsteriskNode) -> None:
    ami = node.ami
    url = f"ami://{ami.user}:{ami.secret}@{ami.host}:{ami.port}"
    with Server(node.data, {"HOTLINE_AMI_URL": url}) as hotline:
        hotline.sip = node.sip
        with hotline.seat("8001") as seat, hotline.citizen() as citizen:
            call = citizen.talk("12345")
            seat.wait_talks(20)
            wait_hears(call.ear, 1300)
            call.hang_up()
            ended(seat.call)
        hotline.wait_ticket()
        assert hotline.get("/api/v1/system", role="administrator")["asterisk"]["pid"] is None
        assert hotline.stop() == 0
        assert node.child.alive()
