"""Points to a total: what a sheet allows, and what it comes to. Pure."""

from collections.abc import Collection, Mapping

from hotline.errors import BadInput
from quality.model import Grade, Sheet


def check(sheet: Sheet, marks: Mapping[str, int], fatal: Collection[str]) -> None:
    """Refuse marks that the sheet does not have.

    Raises:
        BadInput: lines that are missing, unknown, or given more than they have; every mistake is listed.
    """
    most = {item.code: item.points for item in sheet.items}
    known = {fault.code for fault in sheet.fatal}
    problems = [f"{code}: there is no such line on the sheet." for code in sorted(marks.keys() - most.keys())]
    problems += [f"{code}: points are missing." for code in most if code not in marks]
    problems += [
        f"{code}: {points} points, but 0 to {most[code]} can be given."
        for code, points in sorted(marks.items())
        if code in most and not 0 <= points <= most[code]
    ]
    problems += [f"{code}: there is no such fatal fault on the sheet." for code in sorted(set(fatal) - known)]
    if problems:
        raise BadInput("This review does not fit the sheet.", tuple(problems))


def total(sheet: Sheet, marks: Mapping[str, int], fatal: Collection[str]) -> tuple[int, Grade]:
    """Share of all points in hundredths, rounded half up, and its grade. A fatal fault makes it 0."""
    whole = sum(item.points for item in sheet.items)
    reached = 0 if fatal else (200 * sum(marks[item.code] for item in sheet.items) + whole) // (2 * whole)
    if reached >= sheet.good:
        return reached, Grade.GOOD
    return reached, Grade.PASSED if reached >= sheet.passing else Grade.FAILED
