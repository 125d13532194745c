"""Who may log in and who counts as the trunk, on a real Asterisk; bare SIP where a phone would hide the answer."""

import re
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest
import websockets.sync.client

from telephony.model import PhoneId
from telephony.provisioning import Transport
from telephony.softphone import Account, CallState, RegistrationRefused, Softphone
from telephony.softphone.digest import authorisation, challenge
from telephony.softphone.message import Message
from tests.ami_probe import AmiProbe
from tests.asterisk_node import AsteriskNode
from tests.phones import CITIZEN_TONE, Citizen, SeatPhone, ended, wait_hears

pytestmark = pytest.mark.integration

SECRET = "a-secret-of-tests"


class Stranger:
    """A UDP socket that sends one request and reads the final answer."""

    def __init__(self, node: AsteriskNode, address: str = "127.0.0.9") -> None:
        self.server = node.sip
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.settimeout(3)
        self.here = f"{address}:{self.socket.getsockname()[1]}"
        self.call_id, self.count = secrets.token_hex(8), 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, method: str, user: str, *headers: str, to: str = "") -> str:
        self.count += 1
        place = f"{self.server[0]}:{self.server[1]}"
        uri = f"sip:{to}@{place}" if to else f"sip:{place}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.here};branch=z9hG4bK{secrets.token_hex(6)};rport",
            f"From: <sip:{user}@{place}>;tag=1",
            f"To: <sip:{to or user}@{place}>",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.count} {method}",
            f"Contact: <sip:{user}@{self.here}>",
            "Max-Forwards: 70",
            *headers,
            "Content-Length: 0",
        ]
        self.socket.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), self.server)
        while True:
            answer = self.socket.recv(65536).decode()
            if not answer.startswith("SIP/2.0 1"):
                return answer

    def log_in(self, user: str, password: str) -> tuple[str, str]:
        """The first answer and the answer to a REGISTER with that password."""
        first = self.ask("REGISTER", user)
        asked = challenge(Message(first.encode()))
        assert asked, first
        uri = f"sip:{self.server[0]}:{self.server[1]}"
        name, value = authorisation(
            Account(user, password), asked, code=401, method="REGISTER", uri=uri, cnonce=secrets.token_hex(4)
        )
        return first, self.ask("REGISTER", user, f"{name}: {value}")


@pytest.fixture
def stranger(asterisk_node: AsteriskNode) -> Iterator[Stranger]:
    with Stranger(asterisk_node) as one:
        yield one


def without_noise(answer: str) -> str:
    """An answer without what differs each time: addresses of ours, tags, nonces, counters."""
    for noise in (r"branch=\S+", r"tag=\S+", r'nonce="[^"]*"', r'opaque="[^"]*"', r"rport=\d+", r"seat\d+"):
        answer = re.sub(noise, "", answer)
    return "\n".join(line for line in answer.splitlines() if not line.startswith(("Call-ID", "CSeq", "Via")))


async def test_account_works_from_the_moment_it_is_added_and_its_password_can_change(
    asterisk_node: AsteriskNode, stranger: Stranger
) -> None:
    accounts = asterisk_node.provisioning
    assert "401" in stranger.log_in("seat8001", SECRET)[1].splitlines()[0]
    await accounts.add(PhoneId("8001"), SECRET)
    assert "200" in stranger.log_in("seat8001", SECRET)[1].splitlines()[0]
    await accounts.add(PhoneId("8001"), "another-secret")
    assert "401" in stranger.log_in("seat8001", SECRET)[1].splitlines()[0]
    assert "200" in stranger.log_in("seat8001", "another-secret")[1].splitlines()[0]


async def test_new_seat_is_rung_and_removed_one_can_neither_call_nor_be_rung(
    asterisk_node: AsteriskNode, stranger: Stranger
) -> None:
    account = await asterisk_node.provisioning.add(PhoneId("8001"), SECRET)
    phone = SeatPhone(asterisk_node.sip, Account(account, SECRET))
    with AmiProbe(asterisk_node.ami) as ami, Citizen(asterisk_node.sip) as citizen, phone:
        ami.beat()
        call = citizen.talk("12345")
        line = ami.wait_arrival()
        ami.offer(line["Channel"], "8001", "offer_1")
        wait_hears(phone.wait_talks().ear, CITIZEN_TONE)
        phone.call.hang_up()
        ami.wait("UserEvent", UserEvent="OfferEnded", Offer="offer_1", Status="ANSWER")
        await asterisk_node.provisioning.remove(PhoneId("8001"))
        ami.offer(line["Channel"], "8001", "offer_2")
        ami.wait("UserEvent", UserEvent="OfferEnded", Offer="offer_2", Status="CHANUNAVAIL")
        assert call.state is CallState.TALKING
        assert len(phone.calls) == 1
    assert "401" in stranger.log_in("seat8001", SECRET)[1].splitlines()[0]
    assert "401" in stranger.ask("INVITE", "seat8001", to="echo").splitlines()[0]


async def test_unknown_account_and_wrong_password_look_the_same(
    asterisk_node: AsteriskNode, stranger: Stranger
) -> None:
    await asterisk_node.provisioning.add(PhoneId("8001"), SECRET)
    wrong = stranger.log_in("seat8001", "guess-one")
    unknown = stranger.log_in("seat8002", "guess-one")
    assert [without_noise(one) for one in wrong] == [without_noise(one) for one in unknown]
    assert [answer.splitlines()[0] for answer in wrong] == ["SIP/2.0 401 Unauthorized"] * 2


async def test_time_of_the_answer_does_not_tell_whether_an_account_exists(
    asterisk_node: AsteriskNode, stranger: Stranger
) -> None:
    await asterisk_node.provisioning.add(PhoneId("8001"), SECRET)
    took: dict[str, list[float]] = {"seat8001": [], "seat8002": []}
    for _ in range(25):
        for user, times in took.items():
            began = time.perf_counter()
            stranger.ask("REGISTER", user)
            times.append(time.perf_counter() - began)
    known, unknown = (sorted(times)[12] for times in took.values())
    assert abs(known - unknown) < 0.01


async def test_wrong_password_of_a_softphone_is_refused(asterisk_node: AsteriskNode) -> None:
    account = await asterisk_node.provisioning.add(PhoneId("8001"), SECRET)
    phone = Softphone(asterisk_node.sip, account=Account(account, "not-the-secret"))
    with pytest.raises(RegistrationRefused):
        phone.start()


@pytest.mark.parametrize("user", ["13912345678", "trunk", "seat8001", "hotline"])
def test_only_the_trunks_addresses_bring_citizens(shared_asterisk_node: AsteriskNode, user: str) -> None:
    with AmiProbe(shared_asterisk_node.ami) as ami:
        ami.beat()
        with Stranger(shared_asterisk_node) as stranger:
            answer = stranger.ask("INVITE", user, to="12345")
        assert answer.startswith("SIP/2.0 401 ")
        with Citizen(shared_asterisk_node.sip) as citizen:
            citizen.talk("12345")
            ami.wait_arrival()
        assert len(ami.find("Newchannel")) == 1


def test_citizen_whose_number_is_a_seats_phone_is_a_citizen(shared_asterisk_node: AsteriskNode) -> None:
    with AmiProbe(shared_asterisk_node.ami) as ami, Citizen(shared_asterisk_node.sip, "8001") as citizen:
        ami.beat()
        citizen.talk("12345")
        assert ami.wait_arrival()["CallerIDNum"] == "8001"


async def test_seat_on_the_trunks_machine_is_a_seat(asterisk_node: AsteriskNode) -> None:
    account = Account(await asterisk_node.provisioning.add(PhoneId("8001"), SECRET), SECRET)
    with Softphone(asterisk_node.sip, account=account) as phone:
        refused = ended(phone.call("12345"))
    assert refused.ending is not None
    assert refused.ending.status == 404


async def test_browser_seat_logs_in_over_websocket_and_gets_an_encrypted_offer(asterisk_node: AsteriskNode) -> None:
    account = await asterisk_node.provisioning.add(PhoneId("8100"), SECRET, transport=Transport.WS)
    identity = asterisk_node.instance.identity
    where = f"127.0.0.1:{identity.http_port}"
    with websockets.sync.client.connect(f"ws://{where}/ws", subprotocols=["sip"], close_timeout=0.1) as line:  # type: ignore[list-item]

        def register(proof: str = "") -> str:
            lines = [
                f"REGISTER sip:{where} SIP/2.0", f"Via: SIP/2.0/WS x.invalid;branch=z9hG4bK{secrets.token_hex(6)}",
                f"From: <sip:{account}@hotline>;tag=1", f"To: <sip:{account}@hotline>", "Call-ID: browser",
                f"CSeq: {2 if proof else 1} REGISTER", f"Contact: <sip:{account}@x.invalid;transport=ws>",
                "Max-Forwards: 70", *([proof] if proof else []), "Content-Length: 0",
            ]  # fmt: skip
            line.send("\r\n".join(lines) + "\r\n\r\n")
            return str(line.recv(timeout=3))

        asked = challenge(Message(register().encode()))
        assert asked
        proof = authorisation(
            Account(account, SECRET), asked, code=401, method="REGISTER", uri=f"sip:{where}", cnonce="1"
        )
        assert register(": ".join(proof)).startswith("SIP/2.0 200")
        with AmiProbe(asterisk_node.ami) as ami, Citizen(asterisk_node.sip) as citizen:
            ami.beat()
            citizen.talk("12345")
            ami.offer(ami.wait_arrival()["Channel"], "8100", "offer_1")
            offered = next(text for text in iter(lambda: str(line.recv(timeout=5)), "") if text.startswith("INVITE"))
    assert "UDP/TLS/RTP/SAVPF" in offered
    assert "a=fingerprint:SHA-256" in offered
    assert "a=candidate:" in offered


def test_nothing_else_is_served_over_http(asterisk_node: AsteriskNode) -> None:
    base = f"http://127.0.0.1:{asterisk_node.instance.identity.http_port}"
    for path in ("/", "/httpstatus", "/static/", "/ari/asterisk/info", "/rawman?action=ping", "/manager", "/metrics"):
        assert httpx.get(base + path).status_code == 404, path


async def test_everything_listens_on_loopback_alone_also_while_calls_live(asterisk_node: AsteriskNode) -> None:
    account = Account(await asterisk_node.provisioning.add(PhoneId("8001"), SECRET), SECRET)
    first, last = asterisk_node.settings.rtp_range
    with Citizen(asterisk_node.sip) as citizen, Softphone(asterisk_node.sip, account=account) as phone:
        citizen.talk("12345")
        assert phone.call("echo").wait_until(CallState.TALKING, 3)
        found = listeners(asterisk_node.child.pid)
    media = [port for address, port in found if first <= port <= last]
    assert len(media) >= 2
    abroad = [port for address, port in found if address != "127.0.0.1"]
    assert not set(abroad) & {*media, *(port for address, port in found if address == "127.0.0.1")}
    assert len(abroad) <= 2  # the SIP stack's DNS resolver asks from there; nobody is served


def test_one_port_for_sip_and_two_for_us(asterisk_node: AsteriskNode) -> None:
    identity = asterisk_node.instance.identity
    served = {port for address, port in listeners(asterisk_node.child.pid) if address == "127.0.0.1"}
    assert served == {asterisk_node.settings.sip_port, identity.ami_port, identity.http_port}


def listeners(pid: int) -> list[tuple[str, int]]:
    """Addresses and ports on which a process listens or receives."""
    mine = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    found: list[tuple[str, int]] = []
    for table in ("tcp", "udp", "tcp6", "udp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if f"socket:[{fields[9]}]" in mine and fields[3] in ("0A", "07"):
                host, _, port = fields[1].partition(":")
                four = bytes.fromhex(host)[::-1]
                found.append((socket.inet_ntoa(four) if len(four) == 4 else host, int(port, 16)))
    return found
