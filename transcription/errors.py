"""What can be wrong with a speech model or with the sound.

BadInput
├── ModelUnusable   the folder or archive is no model that the engine can use
└── SoundUnusable   the recording cannot be read as sound
"""

from hotline.errors import BadInput


class ModelUnusable(BadInput):
    """Whoever installs models must act: the sentence says what is missing."""


class SoundUnusable(BadInput):
    """The file is missing, empty or in no form that is understood."""
