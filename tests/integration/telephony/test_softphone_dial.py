"""`hotline dial` on a real Asterisk: what it reports of greetings, menus, echoes and refusals."""

import json
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from telephony.audio import read_wav, seconds, write_wav
from telephony.cli import app
from tests.asterisk_node import free_udp_port
from tests.integration.telephony.softphone_switch import Switch, running_switch
from tests.speech import mandarin

pytestmark = pytest.mark.integration

SPOKEN = {
    "welcome": "您好，请问有什么问题",
    "menu": "公积金提取，公积金贷款，转接人工",
    "thanks": "好的，谢谢，请稍等",
    "other": "施工噪音扰民请部门处理",
}


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    with running_switch(tmp_path_factory.mktemp("dial") / "asterisk") as running:
        for name, text in SPOKEN.items():
            write_wav(running.prompts / f"{name}.wav", mandarin(text))
        yield running


@pytest.fixture
def server(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HOTLINE_DATA", str(switch.folder))
    return f"{switch.server[0]}:{switch.server[1]}"


def _dial(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_greeting_and_menu_are_recognised_and_the_pressed_key_leads_on(server: str) -> None:
    result = _dial("greeting", "--server", server, "--keys", "2", "--hold", "14", "--say", "", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert [prompt["name"] for prompt in report["prompts"]] == ["welcome", "menu", "thanks"]
    assert all(prompt["score"] > 0.6 and prompt["whole"] for prompt in report["prompts"]), report
    assert report["keys_pressed"] == 1
    assert report["answer_ms"] < 2000
    assert report["first_audio_ms"] < 2000
    assert report["lost"] == 0
    assert report["ended_by"] == "us"


def test_citizen_speaks_in_turn_and_the_call_is_written_to_a_file(server: str, tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    words = tmp_path / "words.wav"
    _write_at(words, mandarin("我要投诉施工噪音", "m4"), rate=8000)
    arguments = ("greeting", "--server", server, "--keys", "2", "--say", str(words), "--once", "--hold", "20")
    result = _dial(*arguments, "--listen", str(heard), "--json")
    report = json.loads(result.stdout)
    assert len(report["said"]) == 1
    assert report["said"][0] > report["prompts"][-1]["at"]
    assert seconds(read_wav(heard)) == pytest.approx(report["seconds"], abs=0.8)
    echo = read_wav(heard)[int(report["said"][0] * 16000) :]
    assert max(abs(v) for v in _values(echo)) > 8000, "what was said comes back from the echo"


def test_fixed_moment_to_speak_is_kept(server: str) -> None:
    result = _dial("echo", "--server", server, "--say", "SAMPLE", "--after", "0.5", "--once", "--hold", "2", "--json")
    report = json.loads(result.stdout)
    assert report["said"] == [pytest.approx(0.5, abs=0.2)]
    assert report["first_audio_ms"] > 700
    assert max(report["loudness"]) > -30


def test_refused_call_fails_with_one_sentence(server: str) -> None:
    result = _dial("busy", "--server", server)
    assert result.exit_code == 1
    assert "refused: 486" in result.stderr


@pytest.mark.usefixtures("server")
def test_hotline_that_does_not_run_fails_with_one_sentence() -> None:
    result = _dial("12345", "--server", f"127.0.0.1:{free_udp_port()}")
    assert result.exit_code == 1
    assert "is the hotline running?" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("1 2",), "dialled"),
        (("1", "--keys", "x"), "key"),
        (("1", "--server", "nowhere"), "HOST:PORT"),
        (("1", "--say", "no-such-thing"), "SAMPLE"),
        (("1", "--from", "a b"), "dialled"),
        (("1", "--diverted-from", "<sip:x>"), "dialled"),
    ],
)
@pytest.mark.usefixtures("server")
def test_bad_argument_is_one_sentence_and_no_call(arguments: tuple[str, ...], word: str) -> None:
    result = _dial(*arguments)
    assert result.exit_code == 1
    assert word in result.stderr
    assert result.stderr.count("\n") == 1


def _values(pcm: bytes) -> memoryview:
    return memoryview(pcm[: len(pcm) & ~1]).cast("h")


def _write_at(file: Path, pcm: bytes, *, rate: int) -> None:
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm)
