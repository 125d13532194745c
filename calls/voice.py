"""The IVR as the call controller uses it: numbers identified, flows begun, prompts as files."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from calls.marks import Marks
from hotline.errors import BadInput
from ivr.flow import FlowRun
from ivr.model import Dialled
from ivr.numbers import normalise
from ivr.service import IvrService

log = structlog.get_logger(__name__)


class Voice:
    """`calls.service.Ivr` on the IVR room."""

    def __init__(self, ivr: IvrService, marks: Marks) -> None:
        self._ivr, self._marks = ivr, marks

    def identify(self, request: str, to: str, diversions: Sequence[str], at: datetime) -> Dialled:
        return self._ivr.identify(request, to, diversions, at)

    def begin(self, dialled: Dialled, at: datetime) -> FlowRun:
        return self._ivr.begin(dialled, at)

    def caller(self, raw: str) -> str:
        """The calling number in catalogue form, as it came when it is none; at most 40 characters. Empty when there is
        no digit in it: `anonymous`, `restricted` and the like are nobody's number."""
        known = normalise(raw, self._ivr.catalogue.home)
        raw = raw if any(character.isdigit() for character in raw) else ""
        return (known.digits if known is not None else raw)[:40]

    def mark(self, caller: str) -> str:
        """What stands for a calling number (in catalogue form) where the number itself has no business."""
        return self._marks.of(caller)

    def prompts(self, names: Sequence[str]) -> list[str]:
        """Files without extension. A prompt that is missing is left out and reported: the call goes on."""
        files: list[str] = []
        for name in names:
            try:
                files.append(str(self._ivr.prompts.path(name)))
            except BadInput as error:
                log.warning("prompt missing", prompt=name, problem=str(error))
        return files
