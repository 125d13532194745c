"""Rooms on a real Asterisk: a talk becomes one of three, changes, and shrinks; everybody hears whom he should, and each
voice is alone, and whole, on its own track."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from hotline.errors import BadInput
from telephony.errors import LineGoneError
from telephony.model import (
    Bridged,
    LegAnswered,
    LegFailed,
    LegRang,
    LineGone,
    LineId,
    OfferEnded,
    OfferEndReason,
    PhoneChanged,
    PhoneId,
    Placed,
    ReturnedLine,
    SeatAnswered,
    TrackStarted,
    TrackStopped,
)
from telephony.softphone import Call, CallState, Tone
from tests.asterisk_node import AsteriskNode
from tests.integration.telephony.switch_room import SwitchRoom, switch_room
from tests.phones import (
    CITIZEN_TONE,
    EXPERT_TONE,
    SEAT_TONE,
    Manners,
    SeatPhone,
    eventually,
    hears,
    wait_hears,
    wait_silent,
)

pytestmark = pytest.mark.integration

ROOM = "room_call_1"
OPERATOR, EXPERT, BOSS = "8001", "9001", "8101"
BOSS_TONE = 1700
RING = timedelta(seconds=4)
EXPERT_LEG, BOSS_LEG = LineId("leg_expert"), LineId("leg_boss")
SILENT = 300.0
"""Amplitude under which a tone (sent at 8000) is no voice on a track."""


class Talk:
    """A citizen who talks with an operator; an expert and a supervisor have phones too."""

    def __init__(self, room: SwitchRoom, citizen: Call, line: LineId, phones: dict[str, SeatPhone]) -> None:
        self.room, self.citizen, self.line, self.phones = room, citizen, line, phones
        self.rooms = room.switch.rooms
        self.seat_line = LineId("")

    async def connect(self) -> None:
        await self.room.switch.hold(self.line)
        await self.room.ring(self.line, "offer_1")
        self.seat_line = (await self.room.wait(SeatAnswered)).seat_line
        await self.hear((self.citizen, SEAT_TONE), (self.operator, CITIZEN_TONE))

    @property
    def operator(self) -> Call:
        return self.phones[OPERATOR].call

    @property
    def expert(self) -> Call:
        return self.phones[EXPERT].wait_rings()

    @property
    def boss(self) -> Call:
        return self.phones[BOSS].wait_rings()

    async def hear(self, *pairs: tuple[Call, float]) -> None:
        for call, tone in pairs:
            await asyncio.to_thread(wait_hears, call.ear, tone)

    async def hear_no_more(self, *pairs: tuple[Call, float]) -> None:
        for call, tone in pairs:
            await asyncio.to_thread(wait_silent, call.ear, tone)

    async def say_for_a_second(self, call: Call, tone: float) -> None:
        """Wait until `call` has heard a tone for that long."""
        await asyncio.to_thread(eventually, lambda: call.ear.tone(tone, since=time.monotonic() - 1) > 6000, "a second")

    async def move(self, *placed: Placed) -> None:
        await self.rooms.place(ROOM, placed)

    def of_citizen(self, *, held: bool = False) -> Placed:
        return Placed(line=self.line, citizen=True, held=held)

    def of_operator(self) -> Placed:
        return Placed(line=self.seat_line)

    async def invite(self, phone: str = EXPERT, leg: LineId = EXPERT_LEG) -> None:
        await self.rooms.invite(ROOM, leg, phone=PhoneId(phone), ring=RING, track_folder=str(self.room.folder))

    async def consult(self) -> None:
        """Citizen on hold, expert and operator alone."""
        await self.move(self.of_citizen(held=True), self.of_operator())
        await self.invite()
        await self.room.wait(LegAnswered, leg=EXPERT_LEG)
        await self.hear((self.operator, EXPERT_TONE), (self.expert, SEAT_TONE))

    async def three(self) -> None:
        """Everybody with everybody."""
        await self.consult()
        await self.move(self.of_citizen())
        await self.hear((self.citizen, SEAT_TONE), (self.citizen, EXPERT_TONE), (self.expert, CITIZEN_TONE))
        await self.hear((self.operator, CITIZEN_TONE), (self.operator, EXPERT_TONE), (self.expert, SEAT_TONE))

    async def written(self, *lines: LineId) -> None:
        """Wait until the tracks of these lines are closed: the last seconds reach the disk only then."""

        def closed(line: LineId) -> bool:
            begun = sum(one.line == line for one in self.room.all(TrackStarted))
            return 0 < begun <= sum(one.line == line for one in self.room.all(TrackStopped))

        await self.room.until(lambda: all(closed(line) for line in lines), "the tracks are closed")

    def amplitudes(self, line: LineId, tone: float) -> list[float]:
        """Of a tone on a line's track, every 200 ms."""
        pcm = np.frombuffer((self.room.folder / f"{line}.sln").read_bytes(), "<i2").astype(float)
        wave = np.exp(-2j * np.pi * tone * np.arange(1600) / 8000)
        return [float(abs(np.sum(pcm[at : at + 1600] * wave)) / 800) for at in range(0, len(pcm) - 1600, 1600)]

    def only_own_voice(self, line: LineId, own: float, *others: float) -> float:
        """Seconds of a track that hold its party's voice without a hole, and nobody else's."""
        mine = self.amplitudes(line, own)
        assert mine, f"{line} has no track"
        assert min(mine) > 6000, mine
        for other in others:
            assert max(self.amplitudes(line, other)) < SILENT, other
        return len(mine) * 0.2


@pytest.fixture
async def talk(asterisk_node: AsteriskNode, tmp_path: Path) -> AsyncIterator[Talk]:
    tones = {OPERATOR: SEAT_TONE, EXPERT: EXPERT_TONE, BOSS: BOSS_TONE}
    async with switch_room(asterisk_node, tmp_path / "tracks") as room, AsyncExitStack() as stack:
        phones = {
            phone: stack.enter_context(await room.seat(Manners(saying=Tone(tone)), phone))
            for phone, tone in tones.items()
        }
        citizen = stack.enter_context(room.citizen())
        call = await asyncio.to_thread(citizen.talk, "12345")
        talk = Talk(room, call, await room.arrived(), phones)
        for phone in phones:
            await room.wait(PhoneChanged, phone=phone, reachable=True)
        await talk.connect()
        yield talk


async def test_who_is_on_hold_hears_music_and_nobody_of_the_consultation(talk: Talk) -> None:
    await talk.consult()
    assert not hears(talk.expert.ear, CITIZEN_TONE)
    await talk.hear_no_more((talk.citizen, SEAT_TONE))
    assert not hears(talk.citizen.ear, EXPERT_TONE)
    await asyncio.to_thread(eventually, lambda: talk.citizen.ear.quiet_for(time.monotonic()) < 0.1, "music", 5.0)
    assert not talk.room.all(OfferEnded)


async def test_three_hear_each_other_and_each_voice_is_whole_on_its_own_track(talk: Talk) -> None:
    await talk.three()
    await talk.move(talk.of_citizen(held=True))
    await talk.hear_no_more((talk.operator, CITIZEN_TONE), (talk.expert, CITIZEN_TONE))
    await talk.move(talk.of_citizen())
    await talk.hear((talk.operator, CITIZEN_TONE))
    talk.citizen.hang_up()
    await talk.room.wait(LineGone, line=talk.line)
    for call in (talk.operator, talk.expert):
        call.hang_up()
    await talk.room.wait(LineGone, line=talk.seat_line)
    await talk.room.wait(LineGone, line=EXPERT_LEG)
    await talk.written(talk.line, talk.seat_line, EXPERT_LEG)
    citizen = talk.only_own_voice(talk.line, CITIZEN_TONE, SEAT_TONE, EXPERT_TONE)
    operator = talk.only_own_voice(talk.seat_line, SEAT_TONE, CITIZEN_TONE, EXPERT_TONE)
    talk.only_own_voice(EXPERT_LEG, EXPERT_TONE, CITIZEN_TONE, SEAT_TONE)
    assert abs(citizen - operator) < 1.0


async def test_the_operator_leaves_and_the_others_talk_on(talk: Talk) -> None:
    await talk.three()
    talk.operator.hang_up()
    await talk.room.wait(LineGone, line=talk.seat_line)
    await talk.hear_no_more((talk.citizen, SEAT_TONE))
    await talk.hear((talk.citizen, EXPERT_TONE), (talk.expert, CITIZEN_TONE))
    talk.expert.hang_up()
    assert (await talk.room.wait(ReturnedLine, line=talk.line)).place == "after"
    assert talk.citizen.state is CallState.TALKING


async def test_the_expert_leaves_and_the_others_talk_on(talk: Talk) -> None:
    await talk.three()
    talk.expert.hang_up()
    await talk.room.wait(LineGone, line=EXPERT_LEG)
    await talk.hear_no_more((talk.citizen, EXPERT_TONE))
    await talk.hear((talk.citizen, SEAT_TONE), (talk.operator, CITIZEN_TONE))


async def test_the_citizen_leaves_and_the_others_may_finish_their_sentence(talk: Talk) -> None:
    await talk.three()
    talk.citizen.hang_up()
    await talk.room.wait(LineGone, line=talk.line)
    await talk.hear((talk.operator, EXPERT_TONE), (talk.expert, SEAT_TONE))


async def test_swap_changes_who_is_on_hold(talk: Talk) -> None:
    await talk.consult()
    await talk.move(Placed(line=EXPERT_LEG, held=True))
    await talk.move(talk.of_citizen())
    await talk.hear((talk.citizen, SEAT_TONE), (talk.operator, CITIZEN_TONE))
    await talk.hear_no_more((talk.operator, EXPERT_TONE))
    assert not hears(talk.expert.ear, CITIZEN_TONE)
    await talk.move(talk.of_citizen(held=True))
    await talk.move(Placed(line=EXPERT_LEG))
    await talk.hear((talk.operator, EXPERT_TONE))


async def test_a_third_joins_at_once_without_anybody_on_hold(talk: Talk) -> None:
    await talk.move(talk.of_citizen(), talk.of_operator())
    await talk.hear((talk.citizen, SEAT_TONE), (talk.operator, CITIZEN_TONE))
    await talk.invite()
    await talk.room.wait(LegAnswered, leg=EXPERT_LEG)
    await talk.hear((talk.citizen, EXPERT_TONE), (talk.expert, CITIZEN_TONE), (talk.expert, SEAT_TONE))


async def test_five_parties_hear_each_other(talk: Talk) -> None:
    await talk.three()
    async with AsyncExitStack() as stack:
        fifth = stack.enter_context(await talk.room.seat(Manners(saying=Tone(2600)), "9002"))
        await talk.room.wait(PhoneChanged, phone="9002", reachable=True)
        await talk.invite(BOSS, BOSS_LEG)
        await talk.invite("9002", LineId("leg_fifth"))
        for leg in (BOSS_LEG, "leg_fifth"):
            await talk.room.wait(LegAnswered, leg=leg)
        everybody = [talk.citizen, talk.operator, talk.expert, talk.boss, fifth.call]
        tones = [CITIZEN_TONE, SEAT_TONE, EXPERT_TONE, BOSS_TONE, 2600]
        for who, own in zip(everybody, tones, strict=True):
            await talk.hear(*((who, tone) for tone in tones if tone != own))
            assert not hears(who.ear, own)


@pytest.mark.parametrize(
    ("manners", "reasons"),
    [
        (Manners(refuse=486), {OfferEndReason.BUSY}),
        (Manners(refuse=603), {OfferEndReason.REJECTED}),
        (Manners(refuse=480), {OfferEndReason.REJECTED}),
        (Manners(refuse=404), {OfferEndReason.UNREACHABLE}),
        # Originate takes the redirected channel down by itself, now before, now after it has noted the phone's 302.
        (
            Manners(refuse=302, contact="sip:8101@127.0.0.1"),
            {OfferEndReason.REJECTED, OfferEndReason.UNREACHABLE},
        ),
        (Manners(answer_after=None), {OfferEndReason.NO_ANSWER}),
    ],
)
async def test_a_refusal_is_told_by_its_reason_and_everybody_stays_where_he_was(
    talk: Talk, manners: Manners, reasons: set[OfferEndReason]
) -> None:
    talk.phones[EXPERT].manners = manners
    await talk.move(talk.of_citizen(held=True), talk.of_operator())
    await talk.invite()
    assert (await talk.room.wait(LegFailed, leg=EXPERT_LEG)).reason in reasons
    assert not talk.room.all(LineGone)
    assert not talk.phones[BOSS].calls
    await talk.move(talk.of_citizen())
    await talk.hear((talk.citizen, SEAT_TONE), (talk.operator, CITIZEN_TONE))


async def test_a_phone_that_nobody_registered_is_unreachable(talk: Talk) -> None:
    await talk.move(talk.of_citizen(held=True), talk.of_operator())
    await talk.invite("8777")
    assert (await talk.room.wait(LegFailed, leg=EXPERT_LEG)).reason is OfferEndReason.UNREACHABLE
    lines = (await talk.room.switch.snapshot()).lines
    assert {line.line for line in lines} == {talk.line, talk.seat_line}, "nothing else came into the room"


async def test_a_cancelled_phone_stops_ringing(talk: Talk) -> None:
    talk.phones[EXPERT].manners = Manners(answer_after=None)
    await talk.move(talk.of_citizen(held=True), talk.of_operator())
    await talk.invite()
    await talk.room.wait(LegRang, leg=EXPERT_LEG)
    await talk.rooms.cancel(EXPERT_LEG)
    assert (await talk.room.wait(LegFailed, leg=EXPERT_LEG)).reason is OfferEndReason.CANCELLED
    assert await asyncio.to_thread(talk.expert.wait_until, CallState.ENDED, 5)
    assert not talk.room.all(LegAnswered)


async def test_a_listener_hears_both_and_is_heard_by_nobody_until_he_whispers(talk: Talk) -> None:
    await talk.rooms.listen(
        BOSS_LEG, phone=PhoneId(BOSS), target=talk.seat_line, ring=RING, track_folder=str(talk.room.folder)
    )
    await talk.room.wait(LegAnswered, leg=BOSS_LEG)
    await talk.hear((talk.boss, CITIZEN_TONE), (talk.boss, SEAT_TONE))
    assert not hears(talk.operator.ear, BOSS_TONE)
    await talk.rooms.whisper(BOSS_LEG, on=True)
    await talk.hear((talk.operator, BOSS_TONE), (talk.boss, CITIZEN_TONE))
    assert not hears(talk.citizen.ear, BOSS_TONE)
    await talk.rooms.whisper(BOSS_LEG, on=False)
    await talk.hear_no_more((talk.operator, BOSS_TONE))
    await talk.hear((talk.boss, SEAT_TONE))
    talk.operator.hang_up()
    await talk.room.wait(LineGone, line=BOSS_LEG)
    assert not (talk.room.folder / f"{BOSS_LEG}.sln").exists(), "who only listens is no party"


async def test_a_listener_barges_in_and_takes_over(talk: Talk) -> None:
    await talk.rooms.listen(
        BOSS_LEG, phone=PhoneId(BOSS), target=talk.seat_line, ring=RING, track_folder=str(talk.room.folder)
    )
    await talk.room.wait(LegAnswered, leg=BOSS_LEG)
    await talk.hear((talk.boss, CITIZEN_TONE))
    await talk.move(talk.of_citizen(), talk.of_operator())
    await talk.move(Placed(line=BOSS_LEG))
    await talk.hear((talk.citizen, BOSS_TONE), (talk.operator, BOSS_TONE), (talk.boss, SEAT_TONE))
    await talk.room.switch.hang_up(talk.seat_line)
    await talk.room.wait(LineGone, line=talk.seat_line)
    await talk.hear_no_more((talk.citizen, SEAT_TONE))
    await talk.hear((talk.citizen, BOSS_TONE), (talk.boss, CITIZEN_TONE))
    await talk.say_for_a_second(talk.citizen, BOSS_TONE)
    talk.boss.hang_up()
    await talk.room.wait(ReturnedLine, line=talk.line, place="after")
    await talk.room.wait(LineGone, line=BOSS_LEG)
    await talk.written(BOSS_LEG)
    talk.only_own_voice(BOSS_LEG, BOSS_TONE, CITIZEN_TONE, SEAT_TONE)


async def test_listening_in_a_room_of_three_hears_all_three(talk: Talk) -> None:
    await talk.three()
    await talk.rooms.listen(
        BOSS_LEG, phone=PhoneId(BOSS), target=talk.seat_line, ring=RING, track_folder=str(talk.room.folder)
    )
    await talk.room.wait(LegAnswered, leg=BOSS_LEG)
    await talk.hear((talk.boss, CITIZEN_TONE), (talk.boss, SEAT_TONE), (talk.boss, EXPERT_TONE))
    assert not any(hears(call.ear, BOSS_TONE) for call in (talk.citizen, talk.operator, talk.expert))


async def test_a_citizen_who_comes_to_an_empty_room_is_not_left_with_music(talk: Talk) -> None:
    await talk.consult()
    talk.operator.hang_up()
    talk.expert.hang_up()
    await talk.room.wait(LineGone, line=talk.seat_line)
    await talk.room.wait(LineGone, line=EXPERT_LEG)
    await talk.move(talk.of_citizen())
    assert (await talk.room.wait(ReturnedLine, line=talk.line, within=6)).place == "after"


async def test_moving_a_line_that_hung_up_moves_nobody(talk: Talk) -> None:
    await talk.three()
    talk.expert.hang_up()
    await talk.room.wait(LineGone, line=EXPERT_LEG)
    with pytest.raises(LineGoneError):
        await talk.move(Placed(line=EXPERT_LEG, held=True), talk.of_citizen(held=True))
    await talk.hear((talk.citizen, SEAT_TONE), (talk.operator, CITIZEN_TONE))


async def test_another_process_hears_of_every_end_in_a_room_that_it_did_not_make(
    talk: Talk, asterisk_node: AsteriskNode, tmp_path: Path
) -> None:
    await talk.three()
    async with switch_room(asterisk_node, tmp_path / "later") as later:
        await later.wait(Bridged, line=talk.line)
        places = {line.line: line.place for line in (await later.switch.snapshot()).lines}
        assert places == {talk.line: "room-citizen", talk.seat_line: "room", EXPERT_LEG: "room"}
        talk.expert.hang_up()
        await later.wait(LineGone, line=EXPERT_LEG)
        talk.operator.hang_up()
        await later.wait(LineGone, line=talk.seat_line)
        assert (await later.wait(ReturnedLine, line=talk.line)).place == "after"


async def test_when_our_process_is_dead_who_is_on_hold_joins_the_others(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk.consult()
    monkeypatch.setattr(talk.room.switch, "beat", _no_beat)
    await asyncio.to_thread(wait_hears, talk.citizen.ear, EXPERT_TONE, 25)
    await talk.hear((talk.citizen, SEAT_TONE), (talk.operator, CITIZEN_TONE), (talk.expert, CITIZEN_TONE))


async def _no_beat() -> None:
    pass


@pytest.mark.parametrize("name", ["call_1", "room_a,b", "room_A", "room_é"])
async def test_a_rooms_name_that_could_mean_something_else_is_refused(talk: Talk, name: str) -> None:
    with pytest.raises(BadInput):
        await talk.rooms.place(name, [talk.of_citizen(), talk.of_operator()])
