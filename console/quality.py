"""Joins quality with recordings and the audit: which recording somebody may review, and who listened to it before."""

from collections.abc import Sequence

from hotline.audit_sql import AuditQuery, SqlAudit
from hotline.clock import Clock
from hotline.errors import NotFound
from hotline.identity_service import IdentityService
from hotline.security import Principal
from quality.ports import Known, Play
from recordings.service import RecordingService
from recordings.visibility import may_know

PLAYS = 500
"""Lines of the audit that are looked at: the newest."""


class Reviewed:
    """A `quality.ports.RecordingsPort`."""

    def __init__(self, recordings: RecordingService, audit: SqlAudit, identity: IdentityService, clock: Clock) -> None:
        self._recordings, self._audit, self._identity, self._clock = recordings, audit, identity, clock

    async def known(self, recording: str, who: Principal) -> Known:
        """See `RecordingsPort.known`."""
        row = await self._recordings.get(recording)
        if not may_know(row, who, self._clock.now()):
            raise NotFound("There is no such recording.")
        return Known(recording=row.id, agents=tuple(row.agents), length_ms=row.length_ms)

    async def plays(self, recording: str) -> Sequence[Play]:
        """See `RecordingsPort.plays`."""
        lines = await self._audit.lines(AuditQuery(action="recording.play", subject=recording), limit=PLAYS)
        heard = [line for line in lines if line.result == "ok"]
        names = {person: await self._name(person) for person in {line.person for line in heard}}
        return [Play(person=line.person, name=names[line.person], roles=line.roles, at=line.at) for line in heard]

    async def _name(self, person: str) -> str:
        try:
            return (await self._identity.person(person)).name
        except NotFound:
            return person.removeprefix("token:")
