"""Writes docs/call-backs.md from the table of outcomes: `python -m scripts.call_backs`."""

from pathlib import Path

from calls.back_outcomes import render

DOCUMENT = Path(__file__).parent.parent / "docs/call-backs.md"


def main() -> None:
    """Write the page."""
    DOCUMENT.write_text(render(), "utf-8")


if __name__ == "__main__":
    main()
