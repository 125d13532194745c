"""The hash chain over recordings in SQL. Every function takes a connection, so that it can share a transaction."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Integer

from hotline.prepared import Prepared
from recordings.integrity import Deed, Head, Link, next_link
from recordings.model import Recording
from recordings.tables import recording_chain

_NEW = Prepared(insert(recording_chain))
_HEAD = Prepared(select(recording_chain.c.seq, recording_chain.c.hash).order_by(recording_chain.c.seq.desc()).limit(1))
_AFTER = Prepared(
    select(recording_chain)
    .where(recording_chain.c.seq > bindparam("after"))
    .order_by(recording_chain.c.seq)
    .limit(bindparam("most", type_=Integer))
)


async def append_links(
    connection: AsyncConnection, several: Sequence[Recording], deed: Deed, at: datetime
) -> list[Link]:
    """Add the next links of the chain.

    Raises:
        IntegrityError: another writer took the same place; do the transaction again.
    """
    head, links = await chain_head(connection) if several else None, list[Link]()
    for recording in several:
        links.append(next_link(head, recording, deed, at))
        head = Head(links[-1].seq, links[-1].hash)
    await _NEW.run_all(connection, [msgspec.structs.asdict(link) for link in links])
    return links


async def chain_head(connection: AsyncConnection) -> Head | None:
    """The newest link's position and hash."""
    row = await _HEAD.row(connection, {})
    return None if row is None else Head(**row)


async def chain(connection: AsyncConnection, after: int, limit: int) -> list[Link]:
    """Links above position `after`, oldest first."""
    return msgspec.convert(await _AFTER.rows(connection, {"after": after, "most": limit}), list[Link])
