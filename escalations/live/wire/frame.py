"""A text and its bytes on the wire."""

import functools

TEXT_IN_ONE_FRAME = 0x81


class Frame(str):
    """A frame's text, which remembers its bytes once the first socket needed them."""

    @functools.cached_property
    def on_the_wire(self) -> bytes:
        return websocket_bytes(self)


def bytes_of(text: str) -> bytes:
    return text.on_the_wire if isinstance(text, Frame) else websocket_bytes(text)


def websocket_bytes(text: str) -> bytes:
    """`text` as one unmasked WebSocket message (RFC 6455, 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes((TEXT_IN_ONE_FRAME, size))
    elif size < 2**16:
        head = bytes((TEXT_IN_ONE_FRAME, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((TEXT_IN_ONE_FRAME, 127)) + size.to_bytes(8, "big")
    return head + payload
