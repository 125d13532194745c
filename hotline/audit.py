"""The append-only audit: who saw, played, exported or changed what, and what came of the attempt."""

from collections.abc import Mapping
from typing import Any, Protocol

from hotline.security import Principal


class Audit(Protocol):
    """Writes one line per deed. A deed on citizens' data that cannot be audited does not happen."""

    async def record(
        self,
        who: Principal,
        action: str,
        subject: str,
        *,
        result: str = "ok",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """`action` like `recording.play`, `subject` the id of the thing. Never personal data in `detail`.

        Raises:
            Unavailable: it could not be written.
        """
        ...
