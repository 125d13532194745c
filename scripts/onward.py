"""Writes docs/other-centres.md from the table of outcomes: `python -m scripts.onward`."""

from pathlib import Path

from calls.onward_outcomes import render

DOCUMENT = Path(__file__).parent.parent / "docs/other-centres.md"


def main() -> None:
    """Write the page."""
    DOCUMENT.write_text(render(), "utf-8")


if __name__ == "__main__":
    main()
