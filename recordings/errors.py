"""Errors of recordings, by whose move it is."""

from hotline.errors import BadInput, Conflict, NotFound, Unavailable


class StorageFull(Unavailable):
    """The volume of the recordings has no room left: free space; closing is tried again by the sweep."""


class StorageBroken(Unavailable):
    """The volume of the recordings cannot be read or written: look at the disk; closing is tried again."""


class UnsafePath(BadInput):
    """A name that is not one of ours, a symbolic link, or something that is not a plain file."""


class ClosedElsewhere(Conflict):
    """Another process closes this recording at this moment: ask again later."""


class SoundMissing(NotFound):
    """The row is there, its sound is not."""


class SoundDamaged(Conflict):
    """The sound on disk is not what was sealed: it is not played; look into it with `hotline recordings verify`."""


class NotReady(Conflict):
    """The call still runs, or its recording is not composed yet: ask again later."""
