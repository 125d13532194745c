"""The score sheet out of its file."""

from functools import cache
from pathlib import Path

import msgspec
from ruamel.yaml import YAML

from quality.model import Sheet

FILE = Path(__file__).parent / "data" / "sheet.yaml"


@cache
def shipped() -> Sheet:
    """The sheet that comes with the product."""
    return msgspec.convert(YAML(typ="safe", pure=True).load(FILE.read_text("utf-8")), Sheet)
