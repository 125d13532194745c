"""A folder is a Vosk model, or one sentence says why not."""

import struct
from pathlib import Path

import pytest

from hotline.settings import Settings
from transcription.errors import ModelUnusable
from transcription.model_folder import (
    card,
    check_layout,
    demonstration_model,
    digest,
    find_model,
    identity,
    model_mark,
    sample_rate,
)

pytestmark = pytest.mark.unit


def model(folder: Path, *, words: bool = True, static: bool = True) -> Path:
    for name in ("am/final.mdl", "conf/mfcc.conf", *(["graph/words.txt"] if words else [])):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    for name in ["HCLG.fst"] if static else ["HCLr.fst", "Gr.fst"]:
        (folder / "graph").mkdir(exist_ok=True)
        (folder / "graph" / name).write_bytes(b"x")
    return folder


def fst(flags: int) -> bytes:
    text = struct.pack("<i", 6) + b"vector" + struct.pack("<i", 8) + b"standard"
    return struct.pack("<i", 2125659606) + text + struct.pack("<ii", 2, flags)


def test_the_demonstration_model_is_found_and_complete() -> None:
    folder = demonstration_model()
    assert folder is not None
    check_layout(folder)
    known = identity(folder, "vosk")
    assert (known.rate, known.demonstration, known.words) == (8000, True, 326)


def test_a_static_and_a_dynamic_graph_are_both_complete(tmp_path: Path) -> None:
    check_layout(model(tmp_path / "a"))
    check_layout(model(tmp_path / "b", static=False))


def test_everything_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable) as raised:
        check_layout(tmp_path)
    assert len(raised.value.problems) == 3


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelUnusable, match="no folder nowhere"):
        check_layout(Path("nowhere"))


def test_half_a_dynamic_graph_is_not_complete(tmp_path: Path) -> None:
    (model(tmp_path, static=False) / "graph" / "Gr.fst").unlink()
    with pytest.raises(ModelUnusable, match=r"HCLG\.fst"):
        check_layout(tmp_path)


def test_published_small_models_carry_their_words_in_the_graph(tmp_path: Path) -> None:
    folder = model(tmp_path, words=False, static=False)
    (folder / "graph" / "Gr.fst").write_bytes(fst(flags=3))
    check_layout(folder)
    (folder / "graph" / "Gr.fst").write_bytes(fst(flags=1))
    with pytest.raises(ModelUnusable, match=r"words\.txt"):
        check_layout(folder)


@pytest.mark.parametrize(
    ("conf", "rate"),
    [
        ("--sample-frequency=8000\n", 8000),
        ("--use-energy=false   # only\n--sample-frequency=16000 # for real models\n", 16000),
        ("# --sample-frequency=8000\n--num-ceps=40\n", 16000),
        ("", 16000),
    ],
)
def test_the_sample_rate_is_read_from_the_model(tmp_path: Path, conf: str, rate: int) -> None:
    (model(tmp_path) / "conf" / "mfcc.conf").write_text(conf)
    assert sample_rate(tmp_path) == rate


@pytest.mark.parametrize("rate", ["fast", "0", "-8000", "nan", "96001", "11025.5"])
def test_a_sample_rate_that_makes_no_sense_is_refused(tmp_path: Path, rate: str) -> None:
    (model(tmp_path) / "conf" / "mfcc.conf").write_text(f"--sample-frequency={rate}")
    with pytest.raises(ModelUnusable, match="sample rate"):
        sample_rate(tmp_path)


def test_a_model_without_a_card_is_a_real_one_named_after_its_folder(tmp_path: Path) -> None:
    known = card(model(tmp_path / "vosk-model-small-cn-0.22"))
    assert (known.name, known.demonstration) == ("vosk-model-small-cn-0.22", False)


def test_another_file_gives_another_digest(tmp_path: Path) -> None:
    before = digest(model(tmp_path))
    assert digest(tmp_path) == before
    (tmp_path / "am" / "final.mdl").write_text("y")
    assert digest(tmp_path) != before


def test_the_setting_comes_before_the_installed_model_and_that_before_the_demonstration(tmp_path: Path) -> None:
    assert find_model(Settings(data=tmp_path, demo=False, vosk_model="")) is None
    assert find_model(Settings(data=tmp_path, demo=True, vosk_model="")) == demonstration_model()
    (tmp_path / "model").mkdir()
    assert find_model(Settings(data=tmp_path, demo=True, vosk_model="")) == tmp_path / "model"
    assert find_model(Settings(data=tmp_path, demo=True, vosk_model="elsewhere")) == Path("elsewhere")


def test_the_mark_of_the_model_tells_when_it_was_exchanged_or_repaired(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, demo=False, vosk_model="")
    assert model_mark(settings) == ""
    model(tmp_path / "model")
    first = model_mark(settings)
    assert first
    assert model_mark(settings) == first
    (tmp_path / "model" / "am" / "final.mdl").write_text("longer")
    assert model_mark(settings) not in {"", first}


def test_a_setting_that_leads_nowhere_has_a_mark_so_that_the_worker_may_say_so(tmp_path: Path) -> None:
    assert model_mark(Settings(data=tmp_path, vosk_model=str(tmp_path / "nowhere")))
