"""Talks that are listened to: what the listening process is told, what readers are shown, and what is forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from hotline.clock import ManualClock
from hotline.ids import CountedIds
from transcription.live import session as session_module
from transcription.live.model import (
    AnyCommand,
    Follow,
    Hush,
    Leave,
    Left,
    Line,
    LiveState,
    Opened,
    Said,
    Saying,
    Unusable,
    Using,
    Voice,
)
from transcription.live.service import KEEP, MARK_S, LiveTranscripts
from transcription.live.session import Look, Session
from transcription.model import ModelIdentity

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MODEL = ModelIdentity(engine="vosk", name="m", digest="d", rate=8000, demonstration=True, words=326)


class House:
    """A service and everything that it tells."""

    def __init__(self, most: int = 2) -> None:
        self.clock = ManualClock(NOW)
        self.commands: list[AnyCommand] = []
        self.told: list[str] = []
        self.mark = "model"
        self.live = LiveTranscripts(
            most=most, model_mark=lambda: self.mark, clock=self.clock, ids=CountedIds(), tell=self.commands.append,
            told=self.told.append,
        )  # fmt: skip

    def talk(self, call: str, *lines: str, urgent: bool = False) -> None:
        self.live.talk(call, NOW, {line: voice(line) for line in lines}, urgent=urgent)

    def session(self, call: str) -> Session:
        found = self.live.session(call)
        assert found is not None
        return found

    def look(self, call: str, after: str = "") -> Look:
        return self.session(call).look(after)

    def texts(self, call: str) -> list[str]:
        return [one.line.text for one in self.look(call).lines]

    def state(self, call: str) -> LiveState:
        return self.live.state(self.session(call))

    def follows(self) -> list[Follow]:
        return [one for one in self.commands if isinstance(one, Follow)]

    def track(self, line: str) -> int:
        return [one for one in self.follows() if one.path.endswith(f"/{line}.sln")][-1].track

    def says(self, line: str, number: int, text: str, at_ms: int = 1000) -> None:
        spoken = Line(number=number, start_ms=at_ms, end_ms=at_ms + 500, text=text, confidence=0.9)
        self.live.news(Said(track=self.track(line), line=spoken))


def voice(line: str, began_at: datetime | None = NOW + timedelta(seconds=2)) -> Voice:
    party = "citizen" if line.startswith("c") else "operator"
    return Voice(line=line, party=party, agent="" if party == "citizen" else "8001", path=f"/x/{line}.sln",
                 began_at=began_at)  # fmt: skip


@pytest.fixture
def house() -> House:
    return House()


def test_everybody_in_a_talk_is_listened_to_and_the_lines_stand_in_the_time_of_the_call(house: House) -> None:
    house.talk("one", "c1", "o1")
    assert sorted(one.path for one in house.follows()) == ["/x/c1.sln", "/x/o1.sln"]
    assert house.state("one") is LiveState.ON
    house.says("c1", 0, "你好。")
    (shown,) = house.look("one").lines
    assert (shown.party, shown.agent, shown.line.start_ms, shown.line.end_ms) == ("citizen", "", 3000, 3500)
    assert house.told[-1] == "one"


def test_a_reader_gets_what_is_new_or_different_since_the_last_look(house: House) -> None:
    house.talk("one", "c1", "o1")
    house.says("c1", 0, "一二三。")
    house.says("o1", 0, "您好。")
    first = house.look("one")
    assert (first.is_whole, len(first.lines)) == (True, 2)
    assert house.look("one", first.cursor).lines == ()
    house.says("c1", 1, "四五六。", 4000)
    house.says("c1", 0, "***。")
    second = house.look("one", first.cursor)
    assert not second.is_whole
    assert [(one.id, one.line.text) for one in second.lines] == [("0.1", "四五六。"), ("0.0", "***。")]
    assert house.look("one", "live_of_before.57").is_whole, "the lines are counted anew after a restart"


def test_what_is_being_said_is_shown_until_it_was_said(house: House) -> None:
    house.talk("one", "c1")
    house.live.news(Saying(track=house.track("c1"), start_ms=1000, text="我要"))
    (saying,) = house.look("one").saying
    assert (saying.line.text, saying.is_open) == ("我要", True)
    house.says("c1", 0, "我要投诉。")
    look = house.look("one")
    assert (look.saying, look.lines[0].id) == ((), saying.id), "the line takes its place"


def test_more_talks_than_the_budget_are_said_to_be_left_out_until_there_is_room(house: House) -> None:
    for call in ("1", "2", "3"):
        house.talk(call, f"c{call}", f"o{call}")
    assert [house.state(call) for call in ("1", "2", "3")] == [LiveState.ON, LiveState.ON, LiveState.BUSY]
    house.live.over("1")
    assert house.state("1") is LiveState.ENDED
    assert house.state("3") is LiveState.ON
    assert house.track("c3")


def test_a_call_that_an_expert_is_called_into_takes_the_place_of_another(house: House) -> None:
    for call in ("1", "2", "3"):
        house.talk(call, f"c{call}")
    house.says("c2", 0, "你好。")
    left_out = house.track("c2")
    house.talk("3", "c3", urgent=True)
    assert [house.state(call) for call in ("1", "2", "3")] == [LiveState.ON, LiveState.BUSY, LiveState.ON]
    assert Leave(track=left_out) in house.commands
    assert house.follows()[-1].catch_up_ms > 0, "what was said before is worth hearing"
    assert house.texts("2") == ["你好。"], "what was heard stays"


def test_who_comes_back_before_his_rest_was_heard_is_listened_to_again_from_there(house: House) -> None:
    house.live.born()
    house.talk("one", "c1", "o1")
    track = house.track("o1")
    house.says("o1", 0, "您好。")
    house.talk("one", "c1")
    assert house.commands[-1] == Leave(track=track)
    house.talk("one", "c1", "o1")
    house.live.news(Left(track=track))
    again = house.follows()[-1]
    assert (again.track != track, again.from_ms, again.first) == (True, 1500, 1)


def test_a_track_that_cannot_be_listened_to_is_not_asked_for_again_and_again(house: House) -> None:
    house.talk("one", "c1")
    before = len(house.commands)
    house.live.news(Left(track=house.track("c1"), failed=True))
    assert len(house.commands) == before


def test_a_process_that_dies_is_followed_by_one_that_goes_on_from_now(house: House) -> None:
    house.live.born()
    house.talk("one", "c1")
    house.live.news(Using(model=MODEL))
    house.says("c1", 0, "你好。")
    house.live.news(Saying(track=house.track("c1"), start_ms=2000, text="我要"))
    house.live.died()
    assert (house.state("one"), house.look("one").saying) == (LiveState.FAILED, ())
    house.live.born()
    again = house.follows()[-1]
    assert (again.from_ms, again.catch_up_ms, again.first) == (1500, 0, 1)
    house.live.news(Using(model=MODEL))
    assert house.state("one") is LiveState.ON


def test_nothing_is_asked_without_a_model_and_readers_are_told(house: House) -> None:
    house.mark = ""
    house.talk("one", "c1")
    assert (house.state("one"), house.commands) == (LiveState.NO_MODEL, [])
    house.mark = "installed now"
    house.clock.advance(timedelta(seconds=MARK_S))
    house.talk("two", "c2")
    assert (house.state("one"), house.state("two")) == (LiveState.ON, LiveState.ON)


def test_a_model_that_cannot_be_used_is_told(house: House) -> None:
    house.talk("one", "c1")
    house.live.news(Unusable(reason="damaged"))
    assert house.state("one") is LiveState.FAILED


def test_switched_off_it_asks_for_nothing() -> None:
    house = House(most=0)
    house.talk("one", "c1", urgent=True)
    assert (house.state("one"), house.commands) == (LiveState.OFF, [])


def test_keys_hush_every_voice_for_their_time_also_of_a_process_that_comes_later(house: House) -> None:
    house.talk("one", "c1", "o1")
    house.live.hush("one", NOW + timedelta(seconds=5), hushed=True)
    hushes = [one for one in house.commands if isinstance(one, Hush)]
    assert [(one.from_ms, one.to_ms) for one in hushes] == [(3000, None)] * 2, "the tracks began after two seconds"
    house.live.died()
    house.live.born()
    assert isinstance(house.commands[-1], Hush)
    house.live.hush("one", NOW + timedelta(seconds=9), hushed=False)
    assert house.commands[-1] == Hush(track=house.track("o1"), from_ms=3000, to_ms=7000)
    house.live.hush("unknown", NOW, hushed=True)


def test_a_voice_that_nobody_saw_begin_is_placed_by_its_length(house: House) -> None:
    house.live.talk("one", NOW, {"c1": voice("c1", began_at=None)}, urgent=False)
    house.clock.advance(timedelta(seconds=60))
    house.live.news(Opened(track=house.track("c1"), length_ms=50_000))
    house.says("c1", 0, "你好。", 0)
    assert house.look("one").lines[0].line.start_ms == 10_000


def test_only_the_newest_lines_are_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "MOST", 3)
    house.talk("one", "c1")
    for number in range(5):
        house.says("c1", number, str(number))
    assert house.texts("one") == ["2", "3", "4"]


def test_a_call_is_forgotten_a_while_after_its_end(house: House) -> None:
    house.talk("one", "c1")
    house.live.over("one")
    house.clock.advance(KEEP + timedelta(seconds=1))
    assert house.live.session("one") is not None, "until there is something else to remember"
    house.talk("two", "c2")
    assert house.live.session("one") is None


def test_what_was_said_before_the_first_process_was_there_is_heard(house: House) -> None:
    house.talk("one", "c1")
    house.live.born()
    first, again = house.follows()
    assert first == again, "it was told to nobody"
    house.live.died()
    house.talk("two", "c2")
    house.live.born()
    assert [(one.path[-6:-4], one.catch_up_ms > 0) for one in house.follows()[-2:]] == [("c1", False), ("c2", True)]


def test_news_of_tracks_that_nobody_follows_are_nobodys(house: House) -> None:
    house.live.born()
    house.talk("one", "c1")
    track = house.track("c1")
    house.live.over("one")
    house.says("c1", 0, "再见。")
    house.live.news(Left(track=track))
    house.says("c1", 1, "还在吗")
    assert house.texts("one") == ["再见。"], "the rest of a talk that is over is heard, and nothing after it"
