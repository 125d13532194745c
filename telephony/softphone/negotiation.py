"""What both sides agreed about one call's audio (offer and answer, RFC 3264), applied to the running stream.

However often it is renegotiated there is one stream on one port. Refuses to know how descriptions travel.
"""

from telephony.softphone import sdp
from telephony.softphone.media import Media
from telephony.softphone.model import Codec, Direction
from telephony.softphone.sdp import Description


class Negotiation:
    """One call's agreement. `address` is this phone's, `session` a number that names the session."""

    def __init__(self, media: Media, address: str, codecs: tuple[Codec, ...], session: int) -> None:
        self._media = media
        self._ours = Description(address, int(media.inPort), codecs)
        self._allowed = codecs
        self._session, self._version = session, session
        self.direction = Direction.BOTH
        """What this phone wants; holding is `SEND` or `NONE`."""
        self.theirs: Description | None = None

    def offer(self) -> str:
        """Our wishes as they are now."""
        codecs = self._allowed
        event = sdp.EVENT_PAYLOAD if self.theirs is None or self.theirs.event is None else self.theirs.event
        return self._render(Description(self._ours.address, self._ours.port, codecs, event, self.direction))

    def take_answer(self, text: str) -> None:
        """The other side's answer to our offer.

        Raises:
            NotAcceptable: it leaves nothing to talk with.
        """
        self._agree(sdp.parse(text))

    def answer(self, offered: str) -> str:
        """The answer to an offer; without one (a late offer) our own offer.

        Raises:
            NotAcceptable: nothing in it can be spoken.
        """
        if not offered:
            return self.offer()
        theirs = sdp.parse(offered)
        codecs = self._agree(theirs)
        return self._render(
            Description(self._ours.address, self._ours.port, codecs, theirs.event, self._allowed_way(theirs))
        )

    def _agree(self, theirs: Description) -> tuple[Codec, ...]:
        codecs = sdp.common(self._allowed, theirs.codecs)
        self.theirs = theirs
        way = self._allowed_way(theirs)
        self._media.aim(theirs, codecs[0], sending=way.sends, listening=way.listens)
        self._media.start()
        return codecs

    def _allowed_way(self, theirs: Description) -> Direction:
        """Our wish, as far as the other side wants the same."""
        mirrored = theirs.direction.mirrored
        if self.direction is Direction.BOTH or self.direction is mirrored:
            return mirrored
        return self.direction if mirrored is Direction.BOTH else Direction.NONE

    def _render(self, wish: Description) -> str:
        self._version += 1
        return sdp.render(wish, self._session, self._version)
