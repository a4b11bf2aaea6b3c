"""What a file is, by its bytes, and what it may be called. Nothing that it says of itself is believed.

Taken are the four kinds of images that browsers show, PDF, and plain text. Everything else is refused, and so is a file
whose name promises a kind that it is not: a page called `shot.png`, say.
"""

import codecs
import re
import unicodedata
from typing import IO, Final, NamedTuple

from escalations.masking import mask
from escalations.models.attachment import EXCERPT_LENGTH, NAME_LENGTH

TEXT: Final = "text/plain; charset=utf-8"
TEXT_UTF16: Final = "text/plain; charset=utf-16"
PDF: Final = "application/pdf"
# By type, the endings that a name may have; one that has none of them gets the first.
ENDINGS: Final = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    PDF: ("pdf",),
    TEXT: ("txt", "log", "csv", "tsv", "json", "md", "ini", "conf", "cfg", "yaml", "yml", "out", "err"),
}
TYPE_OF_ENDING: Final = {ending: kind for kind, endings in ENDINGS.items() for ending in endings}
MAGIC: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n", re.S), "image/png"),
    (re.compile(rb"\xff\xd8\xff", re.S), "image/jpeg"),
    (re.compile(rb"GIF8[79]a", re.S), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.S), "image/webp"),
    (re.compile(rb"%PDF-\d", re.S), PDF),
)
AT_ONCE = 65_536
LOOKED_AT = 50_000  # characters at either end of a text: a secret that begins before the excerpt is found as a whole
HEAD, TAIL = 800, 1_300  # characters of the excerpt
TAKEN = "Images (PNG, JPEG, GIF, WebP), text files (such as .txt, .log, .csv, .json) and PDF can be attached."
NOT_NAMES = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, what turns or hides letters, what is none


class NotTaken(Exception):
    """`str()` is a sentence for the person."""


class Kind(NamedTuple):
    name: str
    content_type: str


def recognise(name: str, file: IO[bytes]) -> Kind:
    """What the file is, and what it is called from now on. Raises NotTaken."""
    name = clean(name)
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    promised = TYPE_OF_ENDING.get(ending)
    kind = by_magic(file)
    if kind is None:
        if promised not in {None, TEXT}:
            raise NotTaken(f"“{name}” is not what its name says: it holds no {ending.upper()}.")
        if ending and promised is None:
            raise NotTaken(f"“{name}” cannot be attached. {TAKEN}")
        kind = encoding_of(file)
        if kind is None:
            raise NotTaken(f"“{name}” is not a text file in UTF-8 or UTF-16. {TAKEN}")
    endings = ENDINGS[TEXT if kind == TEXT_UTF16 else kind]
    return Kind(name if ending in endings else _shortened(f"{name}.{endings[0]}"), kind)


def by_magic(file: IO[bytes]) -> str | None:
    file.seek(0)
    first = file.read(16)
    return next((kind for magic, kind in MAGIC if magic.match(first)), None)


def encoding_of(file: IO[bytes]) -> str | None:
    """A text's type; None for what does not decode as a whole, or holds NUL."""
    file.seek(0)
    wide = file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    file.seek(0)
    decode = codecs.getincrementaldecoder("utf-16" if wide else "utf-8")()
    try:
        while chunk := file.read(AT_ONCE):
            if "\0" in decode.decode(chunk):
                return None
        decode.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return TEXT_UTF16 if wide else TEXT


def excerpt(file: IO[bytes], kind: str) -> str:
    """The beginning and the end of a text, masked: what pages, snapshots and exports show of it."""
    if kind not in {TEXT, TEXT_UTF16}:
        return ""
    file.seek(0)
    text = file.read().decode("utf-16" if kind == TEXT_UTF16 else "utf-8-sig")
    text = "".join(c for c in text.replace("\r\n", "\n") if c in "\n\t" or unicodedata.category(c) not in NOT_NAMES)
    if len(text) <= HEAD + TAIL:
        return mask(text).strip()[:EXCERPT_LENGTH]
    head = mask(text[:LOOKED_AT])[:HEAD].rpartition("\n")[0] or mask(text[:LOOKED_AT])[:HEAD]
    last = mask(text[-LOOKED_AT:])[-TAIL:]
    tail = last.partition("\n")[2] or last
    return f"{head.strip()}\n…\n{tail.strip()}"[:EXCERPT_LENGTH]


def clean(name: str) -> str:
    """A name without folders, and without letters that hide or turn what it says; never empty."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    name = "".join(" " if c.isspace() else c for c in name if unicodedata.category(c) not in NOT_NAMES)
    name = re.sub(r'[<>:"|?*]', "_", re.sub(r" +", " ", name)).strip(" .")
    return _shortened(name) or "file"


def _shortened(name: str) -> str:
    if len(name) <= NAME_LENGTH:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        return name[:NAME_LENGTH]
    return f"{stem[: NAME_LENGTH - len(ending) - 2]}….{ending}"[:NAME_LENGTH]
