"""Values of quality: notes on stretches of a recording, the score sheet, and what a reviewer gave."""

from datetime import datetime
from enum import StrEnum

import msgspec


class NoteKind(StrEnum):
    """What a note is about."""

    PRAISE = "praise"  # 表扬
    ISSUE = "issue"  # 问题
    QUESTION = "question"  # 疑问


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's words on a stretch of a recording."""

    id: str
    recording: str
    from_ms: int
    to_ms: int
    kind: NoteKind
    text: str
    by: str
    """Who wrote it: person id."""
    by_name: str
    at: datetime


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the sheet."""

    code: str
    group: str
    points: int
    """The most that can be given."""
    zh: str
    en: str


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A group of lines, or a fault that makes every point void."""

    code: str
    zh: str
    en: str


class Sheet(msgspec.Struct, frozen=True, kw_only=True, rename={"passing": "pass"}):
    """What points are given for."""

    version: str
    passing: int
    """From this total on a talk is up to standard."""
    good: int
    groups: tuple[Named, ...]
    items: tuple[Item, ...]
    fatal: tuple[Named, ...]


class Grade(StrEnum):
    """A total in a word."""

    GOOD = "good"  # 优秀
    PASSED = "passed"  # 合格
    FAILED = "failed"  # 不合格


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What one reviewer gave for one recording. A later one of the same reviewer counts instead."""

    id: str
    recording: str
    agents: tuple[str, ...]
    """Seats that talked, at the time of the review."""
    sheet: str
    """Version of the sheet."""
    marks: dict[str, int]
    fatal: tuple[str, ...]
    total: int
    grade: Grade
    comment: str
    by: str
    by_name: str
    at: datetime
