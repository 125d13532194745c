"""Digest authentication (RFC 2617, RFC 7616, RFC 8760) of requests: a challenge in, a header out. Pure."""

import hashlib
import re
from collections.abc import Callable

from telephony.softphone.message import Message
from telephony.softphone.model import Account

ALGORITHMS: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),  # SIP's own choice, not ours
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}


def challenge(response: Message) -> dict[str, str] | None:
    """The first challenge of a 401 or 407 that this phone can answer, its parameters in lower case."""
    name = "WWW-Authenticate" if response.code == 401 else "Proxy-Authenticate"
    for value in response.values(name):
        pairs = re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))', value)
        parameters = {key.lower(): quoted or bare for key, quoted, bare in pairs}
        offers_auth = "qop" not in parameters or "auth" in re.split(r"[\s,]+", parameters["qop"])
        known = parameters.get("algorithm", "MD5").upper() in ALGORITHMS
        if value.lower().startswith("digest") and known and offers_auth and "nonce" in parameters:
            return parameters
    return None


def authorisation(
    account: Account, asked: dict[str, str], *, code: int, method: str, uri: str, cnonce: str
) -> tuple[str, str]:
    """Name and value of the header that answers `asked`; `code` is 401 or 407, `cnonce` a fresh random word."""
    name = asked.get("algorithm", "MD5").upper()
    digest = ALGORITHMS[name]
    realm, nonce = asked.get("realm", ""), asked["nonce"]
    secret = digest(f"{account.user}:{realm}:{account.password}".encode())
    what = digest(f"{method}:{uri}".encode())
    middle = f"{nonce}:00000001:{cnonce}:auth" if "qop" in asked else nonce
    parts = [
        f'username="{account.user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"',
        f'response="{digest(f"{secret}:{middle}:{what}".encode())}"', f"algorithm={name}",
    ]  # fmt: skip
    if "qop" in asked:
        parts += ["qop=auth", "nc=00000001", f'cnonce="{cnonce}"']
    if "opaque" in asked:
        parts.append(f'opaque="{asked["opaque"]}"')
    return ("Authorization" if code == 401 else "Proxy-Authorization"), "Digest " + ", ".join(parts)
