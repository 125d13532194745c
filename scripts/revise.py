"""Writes the next schema revision; `scripts/migration MESSAGE` calls it."""

import sys
import tempfile
from pathlib import Path

from hotline import schema

TABLES = (
    "hotline.tables",
    "acd.tables",
    "ivr.tables",
    "agents.tables",
    "recordings.tables",
    "transcription.tables",
    "tickets.tables",
    "calls.tables",
    "quality.tables",
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'scratch.db'}"
        schema.upgrade(url)
        print(schema.revise(url, sys.argv[1], TABLES))


if __name__ == "__main__":
    main()
