"""Where AMI is and who we are there. Speaks no protocol."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from hotline.errors import BadInput


@dataclass(frozen=True, slots=True)
class AmiEndpoint:
    """One AMI listener and our account on it."""

    host: str
    port: int
    user: str
    secret: str = field(repr=False)


def parse_ami_url(url: str) -> AmiEndpoint:
    """Read `ami://user:secret@host:port` (`Settings.ami_url`); user and secret may be percent-encoded.

    Raises:
        BadInput: something is missing; the sentence does not repeat the secret.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 5038
    except ValueError as error:
        raise BadInput("HOTLINE_AMI_URL has no usable port: write it as ami://user:secret@host:port.") from error
    complete = parts.scheme == "ami" and parts.hostname and parts.username and parts.password
    if not complete or parts.path not in ("", "/"):
        raise BadInput("HOTLINE_AMI_URL cannot be read: write it as ami://user:secret@host:port.")
    return AmiEndpoint(str(parts.hostname), port, unquote(str(parts.username)), unquote(str(parts.password)))
