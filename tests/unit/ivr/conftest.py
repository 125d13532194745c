"""What the room's unit tests share: a voice without a program, a store without a database, the shipped data."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from hotline.errors import Conflict, Unavailable
from hotline.security import Principal
from ivr.catalogue_file import parse
from ivr.flow import Flow
from ivr.loader import SHIPPED, load_folder
from ivr.model import Catalogue, LedgerLine
from ivr.service import DATA

SHANGHAI = ZoneInfo("Asia/Shanghai")


class ToneVoice:
    """Hums for 0.1 s per syllable. A stand-in: it cannot speak."""

    name = "tone (a stand-in)"

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.broken = False

    def speak(self, text: str, pinyin: str, rate: int) -> tuple[np.ndarray, int]:  # noqa: ARG002
        if self.broken:
            raise Unavailable("The voice is hoarse.")
        self.spoken.append(text)
        seconds = 0.1 * len(pinyin.split())
        return (np.sin(np.arange(int(seconds * 16000)) * 0.2) * 9000).astype(np.int16), 16000


class MemoryStore:
    """A `NumberStore` in memory that can be switched off."""

    def __init__(self) -> None:
        self.catalogue = Catalogue(home="0717")
        self.at = 0
        self.lines: list[LedgerLine] = []
        self.is_down = False
        self.intruders = 0
        """So many saves find that somebody else was faster."""

    def _answer(self) -> None:
        if self.is_down:
            raise Unavailable("The database does not answer.")

    async def revision(self) -> int:
        self._answer()
        return self.at

    async def load(self, home: str) -> tuple[int, Catalogue]:
        self._answer()
        return self.at, msgspec.structs.replace(self.catalogue, home=home)

    async def save(self, catalogue: Catalogue, *, expected: int, who: str, at: datetime) -> int:
        self._answer()
        if self.intruders:
            self.intruders -= 1
            self.at += 1
        if expected != self.at:
            raise Conflict("Somebody was faster.")
        self.catalogue, self.at = catalogue, self.at + 1
        after: dict[str, object] = {"entries": len(catalogue.entries)}
        self.lines.append(LedgerLine(seq=self.at, at=at, who=who, subject="12345", before=None, after=after))
        return len(catalogue.entries)

    async def ledger(self, subject: str, *, after: int = 0, limit: int = 100) -> list[LedgerLine]:
        return [line for line in self.lines if line.seq > after and subject in {"", line.subject}][:limit]


class Scribe:
    """An audit in memory: action and subject of every line."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    async def record(
        self,
        who: Principal,  # noqa: ARG002
        action: str,
        subject: str,
        *,
        result: str = "ok",  # noqa: ARG002
        detail: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> None:
        self.lines.append((action, subject))


@pytest.fixture
def scribe() -> Scribe:
    return Scribe()


@pytest.fixture
def voice() -> ToneVoice:
    return ToneVoice()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(scope="session")
def demo() -> Catalogue:
    """All shipped catalogues together, at home in Yichang."""
    catalogue = Catalogue(home="0717")
    for name in ("common.yaml", "yichang.yaml", "lanzhou.yaml"):
        catalogue = parse((DATA / name).read_bytes(), name, catalogue)
    return catalogue


@pytest.fixture(scope="session")
def shipped_flows() -> dict[str, Flow]:
    flows, problems = load_folder(SHIPPED)
    assert problems == {}
    return flows


@pytest.fixture
def local() -> Callable[[str], datetime]:
    """A moment in Shanghai."""
    return lambda text: datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.fixture
def flow_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a flow's file."""

    def write(text: str, name: str = "own.yaml", folder: str = "flows") -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write
