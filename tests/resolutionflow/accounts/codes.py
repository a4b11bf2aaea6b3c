"""What an authenticator app does: the code of this half minute."""

import base64
import hmac
import struct
import time


def code_of(secret: str, *, steps_later: int = 0) -> str:
    """Six digits, as RFC 6238 has them."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps_later)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06}"
