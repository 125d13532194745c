"""Routes of the audit; only auditors come in."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from hotline.audit_sql import AuditLine, AuditQuery, SqlAudit
from hotline.http import Moment, Page, Paging, paging
from hotline.security import Permission, Principal, require

Auditor = Annotated[Principal, Depends(require(Permission.AUDIT_READ))]
Word = Annotated[str, Query(max_length=200)]


class AuditLineView(BaseModel):
    seq: int
    at: datetime
    person: str
    roles: list[str]
    action: str
    subject: str
    result: str
    detail: dict[str, Any]
    digest: str


class AuditHealth(BaseModel):
    is_intact: bool
    broken_at: int | None
    """Position of the first line that is not as it was written."""
    head: int
    digest: str
    """Seal of the last line: note it elsewhere to notice a cut-off end."""


def routes(audit: SqlAudit) -> APIRouter:
    """Everything under `/api/v1/audit`."""
    router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

    @router.get("")
    async def list_lines(
        who: Auditor,
        page: Annotated[Paging, Depends(paging)],
        person: Word = "",
        action: Word = "",
        subject: Word = "",
        since: Moment | None = None,
        until: Moment | None = None,
    ) -> Page[AuditLineView]:
        """Deeds, the newest first. Reading is a deed too."""
        query = AuditQuery(person=person, action=action, subject=subject, since=since, until=until)
        after = page.after(int)
        lines = await audit.lines(query, after[0] if after else None, page.limit + 1)
        if after is None:
            await audit.record(who, "audit.read", "audit")
        return page.page([_view(line) for line in lines], lambda line: (line.seq,))

    @router.get("/health")
    async def verify(who: Auditor) -> AuditHealth:
        """Recompute the chain."""
        head, digest = await audit.head()
        broken_at = await audit.verify()
        await audit.record(who, "audit.verify", "audit", result="ok" if broken_at is None else "broken")
        return AuditHealth(is_intact=broken_at is None, broken_at=broken_at, head=head, digest=digest)

    return router


def _view(line: AuditLine) -> AuditLineView:
    return AuditLineView(
        seq=line.seq,
        at=line.at,
        person=line.person,
        roles=list(line.roles),
        action=line.action,
        subject=line.subject,
        result=line.result,
        detail=line.detail,
        digest=line.digest,
    )
