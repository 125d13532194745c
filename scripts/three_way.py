"""Writes docs/three-way.md from the table of outcomes: `python -m scripts.three_way`."""

from pathlib import Path

from calls.outcomes import render

DOCUMENT = Path(__file__).parent.parent / "docs/three-way.md"


def main() -> None:
    """Write the page."""
    DOCUMENT.write_text(render(), "utf-8")


if __name__ == "__main__":
    main()
