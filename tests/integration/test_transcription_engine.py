"""The real Vosk with the demonstration model on spoken Mandarin."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soxr

from hotline.parent import child_environment
from tests.integration.transcription_speech import (
    CITIZEN,
    LINE_RATE,
    OPERATOR,
    UNSEEN_VOICES,
    character_errors,
    conversation,
    heard,
    say,
    two_party_turns,
    write_alaw,
    write_pcm,
)
from transcription.engine import Engine, transcribe_channel, transcribe_file
from transcription.engines import open_engine
from transcription.errors import ModelUnusable
from transcription.model import Segment, Speaker
from transcription.model_folder import demonstration_model
from transcription.segments import default_punctuation
from transcription.trial import try_model

pytestmark = pytest.mark.integration

SPEAKERS = (Speaker("citizen"), Speaker("operator", "8001"))
MOST_ERRORS = 0.10
PAIRS = [(one, UNSEEN_VOICES[-1 - place]) for place, one in enumerate(UNSEEN_VOICES)]


def model_folder() -> Path:
    folder = demonstration_model()
    assert folder is not None
    return folder


@pytest.fixture(scope="module")
def engine() -> Engine:
    return open_engine("vosk", model_folder())


def transcribed(engine: Engine, file: Path) -> tuple[Segment, ...]:
    return transcribe_file(engine, file, SPEAKERS, default_punctuation()).segments


@pytest.mark.parametrize(("citizen", "operator"), PAIRS)
def test_both_speakers_of_a_telephone_recording_are_understood(
    engine: Engine, tmp_path: Path, citizen: str, operator: str
) -> None:
    turns = two_party_turns(citizen, operator)
    segments = transcribed(engine, write_alaw(tmp_path / "call.wav", conversation(tmp_path, turns)))
    assert character_errors(CITIZEN, segments, "citizen") <= MOST_ERRORS
    assert character_errors(OPERATOR, segments, "operator") <= MOST_ERRORS
    order = [segment.party for segment in segments]
    assert [one for one, two in zip(order, [*order[1:], ""], strict=True) if one != two] == ["operator", "citizen"] * 3


def test_words_stand_where_they_were_said(engine: Engine, tmp_path: Path) -> None:
    sound = conversation(tmp_path, [(1, "f3", "您好"), (0, "m4", "我要投诉")], gap_s=2.0)
    segments = transcribed(engine, write_alaw(tmp_path / "call.wav", sound))
    for segment, channel in zip(segments, (1, 0), strict=True):
        loud = np.flatnonzero(np.abs(sound[:, channel].astype(int)) > 500) * 1000 // LINE_RATE
        assert abs(segment.start_ms - int(loud[0])) < 150
        assert abs(segment.end_ms - int(loud[-1])) < 200


def test_a_model_that_wants_16_khz_gets_16_khz(tmp_path: Path) -> None:
    """The same net behind a front end of 16 kHz: Kaldi refuses 8 kHz sound without `--allow-upsample`."""
    folder = tmp_path / "wide"
    shutil.copytree(model_folder(), folder)
    conf = folder / "conf" / "mfcc.conf"
    conf.write_text(conf.read_text().replace("--sample-frequency=8000", "--sample-frequency=16000"))
    assert raw_vosk_accepts(folder, rate=8000) is False
    wide = open_engine("vosk", folder)
    assert wide.identity.rate == 16000
    turns = two_party_turns("f3", "m6")
    segments = transcribed(wide, write_alaw(tmp_path / "call.wav", conversation(tmp_path, turns)))
    assert character_errors(CITIZEN, segments, "citizen") <= MOST_ERRORS
    assert character_errors(OPERATOR, segments, "operator") <= MOST_ERRORS


def raw_vosk_accepts(folder: Path, rate: int) -> bool:
    """Whether the library itself takes sound of this rate, tried in another process."""
    code = (
        "import sys, vosk; vosk.SetLogLevel(-1); r = vosk.KaldiRecognizer(vosk.Model(sys.argv[1]), float(sys.argv[2]));"
        "r.AcceptWaveform(bytes(16000))"
    )
    command = [sys.executable, "-c", code, str(folder), str(rate)]
    done = subprocess.run(command, capture_output=True, env=child_environment(), timeout=60)
    return done.returncode == 0


@pytest.mark.parametrize("rate", [16000, 44100])
def test_recordings_of_other_rates_are_brought_to_the_models(engine: Engine, tmp_path: Path, rate: int) -> None:
    sound = conversation(tmp_path, [(0, "f3", CITIZEN[0])], channels=1)
    wide = soxr.resample(sound.astype(np.float32), LINE_RATE, rate).astype(np.int16)
    file = write_pcm(tmp_path / "wide.wav", wide, rate)
    segments = transcribe_file(engine, file, SPEAKERS[:1], default_punctuation()).segments
    assert character_errors(CITIZEN[:1], segments, "citizen") <= MOST_ERRORS
    assert segments[-1].end_ms < len(sound) * 1000 // LINE_RATE


def test_a_file_with_a_header_and_no_sound_has_an_empty_transcript(engine: Engine, tmp_path: Path) -> None:
    file = write_pcm(tmp_path / "short.wav", np.zeros((1, 2), np.int16))
    assert transcribed(engine, file) == ()


def test_silence_is_no_speech(engine: Engine, tmp_path: Path) -> None:
    assert transcribed(engine, write_alaw(tmp_path / "silence.wav", np.zeros((80000, 2), np.int16))) == ()


def test_a_word_outside_the_vocabulary_is_marked(engine: Engine, tmp_path: Path) -> None:
    """维也纳 (Vienna) is not among the 326 words."""
    sound = conversation(tmp_path, [(0, "f3", "我要投诉维也纳的噪音")])
    segments = transcribed(engine, write_alaw(tmp_path / "call.wav", sound))
    assert any(segment.uncertain and "□" in segment.text for segment in segments)
    assert "[unk]" in heard(segments, "citizen")
    assert "投诉" in heard(segments, "citizen")


def test_a_stream_tells_what_is_being_said(engine: Engine, tmp_path: Path) -> None:
    spoken = say("我要投诉小区楼下半夜施工噪音扰民", "m4", tmp_path)
    stream = engine.stream(LINE_RATE)
    partials = []
    for start in range(0, len(spoken), LINE_RATE // 5):
        stream.accept(spoken[start : start + LINE_RATE // 5])
        partials.append(stream.partial().replace(" ", ""))
    assert any("投诉" in partial and "扰民" not in partial for partial in partials)
    assert [utterance.words[0].word for utterance in stream.finish()] == ["我"]


def test_two_streams_of_one_model_do_not_disturb_each_other(engine: Engine, tmp_path: Path) -> None:
    voices = [say(text, "f5", tmp_path) for text in (CITIZEN[0], OPERATOR[0])]
    alone = [transcribe_channel(engine, voice, LINE_RATE) for voice in voices]
    streams = [engine.stream(LINE_RATE) for _ in voices]
    together: list[list[object]] = [[], []]
    for start in range(0, max(map(len, voices)), 1000):
        for place, (stream, voice) in enumerate(zip(streams, voices, strict=True)):
            together[place] += stream.accept(voice[start : start + 1000])
    for place, stream in enumerate(streams):
        together[place] += stream.finish()
    words = [[[word.word for word in one.words] for one in said] for said in (*alone, *together)]  # type: ignore[attr-defined]
    assert words[:2] == words[2:]


def test_a_damaged_model_is_refused_with_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(model_folder(), folder)
    whole = (folder / "am" / "final.mdl").read_bytes()
    (folder / "am" / "final.mdl").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelUnusable, match=r"cannot load the model in .*: its files do not fit together"):
        try_model("vosk", folder)


def test_a_model_that_makes_kaldi_abort_is_refused_and_does_not_end_us(tmp_path: Path) -> None:
    """The library ends its process by an assertion; the sentence holds what it said."""
    folder = tmp_path / "deadly"
    shutil.copytree(model_folder(), folder)
    (folder / "conf" / "model.conf").write_text("--frame-subsampling-factor=0\n")
    with pytest.raises(ModelUnusable, match=r"the speech library broke down on it .*frame_subsampling_factor"):
        try_model("vosk", folder)


def test_a_model_whose_parts_do_not_fit_is_refused_with_one_sentence(tmp_path: Path) -> None:
    """Features of another width than the net has inputs."""
    folder = tmp_path / "misfit"
    shutil.copytree(model_folder(), folder)
    conf = folder / "conf" / "mfcc.conf"
    conf.write_text(conf.read_text().replace("--num-ceps=24", "--num-ceps=13"))
    with pytest.raises(ModelUnusable, match="Vosk cannot begin to listen: the model is damaged"):
        try_model("vosk", folder)
