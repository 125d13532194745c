"""Three-way, transfer and supervision as people use them: through the API, on real phones, with everything stored."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import httpx
import numpy as np
import pytest

from calls.model import TalkChanged
from telephony.softphone import CallState, OutgoingCall
from telephony.softphone.sources import Tone
from tests.e2e import invariants
from tests.e2e.test_visibility import log_in
from tests.e2e.test_whole_call import channels
from tests.house import Server
from tests.phones import (
    CITIZEN_TONE,
    EXPERT_TONE,
    SEAT_TONE,
    Manners,
    SeatPhone,
    ended,
    eventually,
    hears,
    wait_hears,
    wait_silent,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

OPERATOR, EXPERT, BOSS = "8001", "8011", "8101"
BOSS_TONE = 1700
ROLES = {OPERATOR: "operator", EXPERT: "expert", BOSS: "supervisor"}
TONES = {OPERATOR: SEAT_TONE, EXPERT: EXPERT_TONE, BOSS: BOSS_TONE}


class Desk:
    """A citizen who talks with an operator; whoever else is wanted signs in by and by."""

    def __init__(self, hotline: Server, cookies: dict[str, dict[str, str]], stack: ExitStack) -> None:
        self.hotline, self.cookies, self.stack = hotline, cookies, stack
        self.phones: dict[str, SeatPhone] = {}
        self.come(OPERATOR)
        self.citizen: OutgoingCall = stack.enter_context(hotline.citizen()).talk("110")
        self.phones[OPERATOR].wait_talks(30)
        self.hear(("citizen", OPERATOR), (OPERATOR, "citizen"))
        self.call = str(hotline.wait_call("talking")[0]["call"])

    def come(self, seat: str, manners: Manners | None = None) -> SeatPhone:
        phone = self.stack.enter_context(self.hotline.seat(seat, manners or Manners(saying=Tone(TONES[seat]))))
        self.phones[seat] = phone
        return phone

    def ask(self, seat: str, action: str, body: dict[str, Any] | None = None, key: str = "") -> httpx.Response:
        page = {"origin": f"http://127.0.0.1:{self.hotline.http_port}"}
        headers = {**page, **self.cookies[seat], **({"idempotency-key": key} if key else {})}
        url = f"http://127.0.0.1:{self.hotline.http_port}/api/v1/calls/{self.call}/{action}"
        return httpx.post(url, json=body or {}, headers=headers, timeout=10)

    def do(self, who: str, action: str, **body: object) -> None:
        answer = self.ask(who, action, dict(body))
        assert answer.status_code == 202, answer.text

    def shown(self, who: str) -> tuple[str, list[str]]:
        """The talk as somebody sees it."""
        url = f"http://127.0.0.1:{self.hotline.http_port}/api/v1/calls/{self.call}/talk"
        talk = httpx.get(url, headers=self.cookies[who], timeout=10).json()
        return talk["situation"], [party["place"] for party in talk["parties"]]

    def ear(self, who: str) -> Any:
        return self.citizen.ear if who == "citizen" else self.phones[who].wait_rings().ear

    def hear(self, *pairs: tuple[str, str]) -> None:
        """Each first hears each second."""
        for who, whom in pairs:
            wait_hears(self.ear(who), {**TONES, "citizen": CITIZEN_TONE}[whom], 10)

    def silent(self, *pairs: tuple[str, str]) -> None:
        for who, whom in pairs:
            wait_silent(self.ear(who), {**TONES, "citizen": CITIZEN_TONE}[whom], 10)

    def wait_talk(self, what: str) -> TalkChanged:
        """Wait until the talk has changed by `what`."""
        found: list[TalkChanged] = []

        def there() -> bool:
            facts = invariants.stored(self.hotline.data).calls
            found[:] = [one for one in facts if isinstance(one, TalkChanged) and one.call == self.call]
            return bool(found) and found[-1].what == what

        eventually(there, f"the talk changes by {what}", 15)
        return found[-1]

    def three(self) -> None:
        """Consult, then everybody with everybody."""
        self.come(EXPERT)
        self.do(OPERATOR, "consult", seat=EXPERT)
        self.phones[EXPERT].wait_talks()
        self.hear((OPERATOR, EXPERT), (EXPERT, OPERATOR))
        self.silent(("citizen", OPERATOR), (EXPERT, "citizen"))
        self.wait_talk("answered")
        assert self.shown(OPERATOR) == self.shown(BOSS) == ("consulting", ["held", "talking", "talking"])
        self.do(OPERATOR, "merge")
        self.hear(("citizen", OPERATOR), ("citizen", EXPERT), (EXPERT, "citizen"), (OPERATOR, "citizen"))

    def loudest(self, recording: str) -> list[tuple[str, str, int]]:
        """Party, agent and the tone that its channel holds."""
        row = self.hotline.get(f"/api/v1/recordings/{recording}", role="qa")
        sound = channels(self.hotline.ask("GET", f"/api/v1/recordings/{recording}/audio", role="qa").content)
        return [
            (channel["party"], channel["agent"], _tone(sound[:, number]))
            for number, channel in enumerate(row["channels"])
        ]


def _tone(samples: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> int:
    """The loudest tone of all that these tests know; 0 when another one is there too."""
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64)))
    level = {
        tone: float(np.max(spectrum[_bin(tone - 5, samples.size) : _bin(tone + 5, samples.size)]))
        for tone in (CITIZEN_TONE, SEAT_TONE, EXPERT_TONE, BOSS_TONE)
    }
    best = max(level, key=lambda tone: level[tone])
    return best if all(other < level[best] / 10 for tone, other in level.items() if tone != best) else 0


def _bin(frequency: int, size: int) -> int:
    return round(frequency * size / 8000)


@pytest.fixture(scope="module")
def people(hotline: Server) -> dict[str, dict[str, str]]:
    """Log-ins of the demonstration people who have a seat each."""
    return log_ins(hotline)


def log_ins(hotline: Server) -> dict[str, dict[str, str]]:
    """The cookies of the people of `ROLES`, by seat."""
    logins = dict(re.findall(r"^  ([a-z]+) +(\S+)   \(", "\n".join(hotline.lines), re.MULTILINE))
    return {seat: log_in(hotline, role, logins[role]) for seat, role in ROLES.items()}


@pytest.fixture
def desk(hotline: Server, people: dict[str, dict[str, str]]) -> Iterator[Desk]:
    with ExitStack() as stack:
        yield Desk(hotline, people, stack)
    invariants.check(hotline, 40)
    for seat in ROLES:
        hotline.ask("POST", f"/api/v1/seats/{seat}/sign-out")


def test_the_operator_consults_merges_and_leaves_and_each_voice_is_on_its_own_channel(desk: Desk) -> None:
    desk.three()
    desk.do(OPERATOR, "leave")
    ended(desk.phones[OPERATOR].call)
    desk.silent(("citizen", OPERATOR))
    desk.hear(("citizen", EXPERT), (EXPERT, "citizen"))
    eventually(lambda: desk.hotline.seat_state(OPERATOR) == "ready", "the operator is free for the next call", 15)
    assert desk.hotline.seat_state(EXPERT) == "talking"
    desk.phones[EXPERT].call.hang_up()
    ended(desk.citizen, 20)
    ticket = _ticket(desk)
    assert ticket["agent"] == OPERATOR
    heard = desk.loudest(ticket["recording"])
    assert heard == [("citizen", "", 600), ("operator", OPERATOR, 1300), ("expert", EXPERT, 2100)]


def _ticket(desk: Desk) -> dict[str, Any]:
    hotline = desk.hotline

    def composed() -> bool:
        tickets = [one for one in hotline.tickets() if one["call"] == desk.call]
        return bool(tickets) and bool(tickets[0]["recording"]) and _closed(hotline, tickets[0]["recording"])

    eventually(composed, "the ticket and its recording", 60)
    return next(one for one in hotline.tickets() if one["call"] == desk.call)


def _closed(hotline: Server, recording: str) -> bool:
    return bool(hotline.get(f"/api/v1/recordings/{recording}", role="qa")["sha256"])


def test_the_expert_leaves_first_and_the_two_talk_on(desk: Desk) -> None:
    desk.three()
    desk.do(EXPERT, "hang-up")  # each his own part of it, as by the phone
    ended(desk.phones[EXPERT].call)
    desk.wait_talk("gone")
    desk.silent(("citizen", EXPERT))
    desk.hear(("citizen", OPERATOR), (OPERATOR, "citizen"))
    desk.do(OPERATOR, "hang-up")
    ended(desk.phones[OPERATOR].call)
    ended(desk.citizen, 20)


def test_the_citizen_leaves_first_and_everybody_is_free(desk: Desk) -> None:
    desk.three()
    desk.citizen.hang_up()
    for seat in (OPERATOR, EXPERT):
        ended(desk.phones[seat].call)
        eventually(partial(_is_ready, desk, seat), f"{seat} is free", 15)


def _is_ready(desk: Desk, seat: str) -> bool:
    return desk.hotline.seat_state(seat) == "ready"


def test_an_expert_who_refuses_leaves_citizen_and_operator_together(desk: Desk) -> None:
    desk.come(EXPERT, Manners(refuse=486))
    desk.do(OPERATOR, "consult", seat=EXPERT)
    assert desk.wait_talk("failed").talk.citizen is not None
    desk.hear(("citizen", OPERATOR), (OPERATOR, "citizen"))
    assert desk.citizen.state is CallState.TALKING
    desk.phones[OPERATOR].call.hang_up()
    ended(desk.citizen, 20)


def test_an_operator_who_leaves_while_the_expert_rings_leaves_him_the_citizen(desk: Desk) -> None:
    desk.come(EXPERT, Manners(answer_after=None))
    desk.do(OPERATOR, "consult", seat=EXPERT)
    rings = desk.phones[EXPERT].wait_rings()
    desk.phones[OPERATOR].call.hang_up()
    desk.wait_talk("gone")
    assert desk.citizen.state is CallState.TALKING
    rings.say(Tone(TONES[EXPERT]))
    rings.answer()
    desk.hear(("citizen", EXPERT), (EXPERT, "citizen"))
    desk.wait_talk("answered")
    rings.hang_up()
    ended(desk.citizen, 20)


def test_a_citizen_who_hangs_up_before_the_expert_answers_stops_his_phone(desk: Desk) -> None:
    desk.come(EXPERT, Manners(answer_after=None))
    desk.do(OPERATOR, "consult", seat=EXPERT)
    rings = desk.phones[EXPERT].wait_rings()
    desk.citizen.hang_up()
    ended(rings)
    ended(desk.phones[OPERATOR].call)
    for seat in (OPERATOR, EXPERT):
        eventually(partial(_is_ready, desk, seat), f"{seat} is free", 15)


def test_swap_retrieve_and_cancel(desk: Desk) -> None:
    desk.come(EXPERT)
    desk.do(OPERATOR, "consult", seat=EXPERT)
    desk.wait_talk("answered")
    desk.do(OPERATOR, "swap")
    desk.hear((OPERATOR, "citizen"), ("citizen", OPERATOR))
    desk.silent((OPERATOR, EXPERT))
    desk.do(OPERATOR, "swap")
    desk.hear((OPERATOR, EXPERT))
    desk.silent((OPERATOR, "citizen"))
    desk.do(OPERATOR, "cancel")
    ended(desk.phones[EXPERT].call)
    desk.hear(("citizen", OPERATOR), (OPERATOR, "citizen"))
    desk.phones[OPERATOR].call.hang_up()
    ended(desk.citizen, 20)


def test_a_transfer_without_a_word_that_fails_comes_back_to_who_made_it(desk: Desk) -> None:
    desk.come(EXPERT, Manners(refuse=603))
    desk.do(OPERATOR, "transfer", seat=EXPERT)
    ended(desk.phones[OPERATOR].calls[0])
    desk.phones[OPERATOR].wait_rings(2)
    desk.phones[OPERATOR].wait_talks()
    desk.hear(("citizen", OPERATOR), (OPERATOR, "citizen"))
    desk.phones[OPERATOR].call.hang_up()
    ended(desk.citizen, 20)


def test_a_transfer_without_a_word_reaches_the_expert(desk: Desk) -> None:
    desk.come(EXPERT)
    desk.do(OPERATOR, "transfer", seat=EXPERT)
    ended(desk.phones[OPERATOR].call)
    desk.hear(("citizen", EXPERT), (EXPERT, "citizen"))
    desk.phones[EXPERT].call.hang_up()
    ended(desk.citizen, 20)


def test_a_supervisor_listens_whispers_and_takes_over(desk: Desk) -> None:
    desk.come(BOSS)
    desk.do(BOSS, "listen")
    desk.hear((BOSS, "citizen"), (BOSS, OPERATOR))
    desk.wait_talk("answered")
    assert not hears(desk.ear(OPERATOR), BOSS_TONE)
    desk.do(BOSS, "whisper")
    desk.hear((OPERATOR, BOSS))
    assert not hears(desk.citizen.ear, BOSS_TONE)
    desk.do(BOSS, "take-over")
    desk.hear(("citizen", BOSS), (BOSS, "citizen"))
    ended(desk.phones[OPERATOR].call)
    desk.phones[BOSS].call.hang_up()
    ended(desk.citizen, 20)
    heard = desk.loudest(_ticket(desk)["recording"])
    assert heard == [("citizen", "", 600), ("operator", OPERATOR, 1300), ("supervisor", BOSS, 1700)]
    actions = [one["action"] for one in desk.hotline.get(f"/api/v1/audit?subject={desk.call}", role="auditor")["items"]]
    assert {"call.listen", "call.whisper", "call.takeover"} <= set(actions)


def test_who_may_not_and_what_makes_no_sense_is_refused(desk: Desk) -> None:
    assert desk.ask(OPERATOR, "listen").status_code == 403
    for action in ("merge", "hang-up"):
        assert desk.ask(EXPERT, action).status_code == 404, "not his call"
    assert desk.ask(OPERATOR, "merge").status_code == 409
    assert desk.ask(OPERATOR, "consult", {"seat": EXPERT}).status_code == 409, "not signed in"
    assert desk.ask(BOSS, "whisper").status_code == 409
    desk.come(EXPERT)
    first = desk.ask(OPERATOR, "consult", {"seat": EXPERT}, key="once")
    desk.wait_talk("answered")
    again = desk.ask(OPERATOR, "consult", {"seat": EXPERT}, key="once")
    assert (first.status_code, again.status_code, again.json()) == (202, 202, first.json())
    assert len(desk.phones[EXPERT].calls) == 1
    desk.citizen.hang_up()


def test_a_kill_in_the_middle_of_three_is_noticed_by_nobody(desk: Desk) -> None:
    desk.three()
    desk.hotline.kill()
    desk.hear(("citizen", EXPERT), (EXPERT, OPERATOR), (OPERATOR, "citizen"))
    desk.hotline.start()
    desk.hear(("citizen", EXPERT), ("citizen", OPERATOR), (EXPERT, "citizen"))
    desk.do(OPERATOR, "leave")
    ended(desk.phones[OPERATOR].call)
    desk.hear(("citizen", EXPERT), (EXPERT, "citizen"))
    desk.phones[EXPERT].call.hang_up()
    ended(desk.citizen, 20)
    assert [party for party, _, _ in desk.loudest(_ticket(desk)["recording"])] == ["citizen", "operator", "expert"]


def test_an_expert_who_rings_while_we_are_killed_answers_afterwards(desk: Desk) -> None:
    desk.come(EXPERT, Manners(answer_after=None))
    desk.do(OPERATOR, "consult", seat=EXPERT)
    rings = desk.phones[EXPERT].wait_rings()
    rings.say(Tone(TONES[EXPERT]))
    desk.hotline.kill()
    desk.hotline.start()
    rings.answer()
    desk.hear((OPERATOR, EXPERT), (EXPERT, OPERATOR))
    desk.wait_talk("answered")
    desk.do(OPERATOR, "merge")
    desk.hear(("citizen", EXPERT), (EXPERT, "citizen"))
    desk.citizen.hang_up()
    ended(rings)
