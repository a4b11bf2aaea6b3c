"""Runbooks as Markdown: what a page may say, and which of its lines are steps.

Reading is apart from writing: here are plain functions from text to plain data. `actions.runbooks` writes them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from escalations.models.runbook import BODY_LENGTH, PATH_LENGTH, TITLE_LENGTH

SUFFIXES = {".md", ".markdown"}
BYTE_ORDER_MARK = "\ufeff"
MOST_BYTES = 4 * BODY_LENGTH
MOST_STEPS = 40
STEP_LENGTH = 1_000
MOST_TAGS = 30

HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")
ITEM = re.compile(r"^(\s*)(?:(\d+)[.)]|[-*+])\s+(.*)$")
FENCE = re.compile(r"^\s*(```|~~~)")
FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
ENTRY = re.compile(r"^([A-Za-z][\w-]*)\s*:\s*(.*)$")

# Lists under such headings tell what it looks like, not what to do.
TELLING = re.compile(
    r"(symptom|cause|reference|see also|link|prerequisite|background|contact|applies|related|note)s?\b", re.I
)


class BadPage(ValueError):
    """What is wrong with a file, in words."""


@dataclass(frozen=True)
class Page:
    """`steps` are plain text, in order."""

    path: str
    title: str
    tags: tuple[str, ...]
    body: str
    steps: tuple[str, ...]


def files(folder: Path) -> list[Path]:
    """The Markdown files in it, at any depth, without hidden ones; in order of their names."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def read(file: Path, *, within: Path) -> Page:
    """The file's page. Raises BadPage, and OSError where it cannot be read."""
    if file.stat().st_size > MOST_BYTES:
        raise BadPage(f"longer than {BODY_LENGTH:,} characters")
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise BadPage(f"not UTF-8 (byte {error.start + 1})") from None
    return parse(text, path=file.relative_to(within).as_posix())


def parse(text: str, *, path: str) -> Page:
    """The page that this Markdown is. Raises BadPage."""
    text = text.removeprefix(BYTE_ORDER_MARK).replace("\r\n", "\n").replace("\r", "\n")
    told, body = _front_matter(text)
    if not body.strip():
        raise BadPage("there is nothing in it")
    if "\0" in text:
        raise BadPage("holds a NUL character")
    if len(text) > BODY_LENGTH:
        raise BadPage(f"longer than {BODY_LENGTH:,} characters")
    if len(path) > PATH_LENGTH or not path.isprintable():
        raise BadPage(f"its name must be printable and have at most {PATH_LENGTH} characters")
    lines = list(_lines(body))
    title = "".join(told.get("title", [])) or next((line.text for line in lines if line.heading), "") or Path(path).stem
    return Page(
        path=path,
        title=plain(title)[:TITLE_LENGTH] or path[:TITLE_LENGTH],
        tags=tuple(tag[:60] for tag in told.get("tags", []))[:MOST_TAGS],
        body=body.strip(),
        steps=tuple(_steps(lines))[:MOST_STEPS],
    )


def plain(markdown: str) -> str:
    """One line of Markdown as text: without emphasis, code marks, links' addresses and boxes to tick."""
    text = re.sub(r"^\[[ xX]\]\s+", "", markdown.strip())
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(\*\*|__|`)(.+?)\1", r"\2", text)
    text = re.sub(r"(?<!\w)([*_])(?=\S)(.+?)(?<=\S)\1(?!\w)", r"\2", text)
    return " ".join(text.split())


# Lines


@dataclass
class Line:
    """A heading, an item of a list (`number` None: a bullet), or a paragraph; `under` is the heading above it."""

    text: str
    under: str
    heading: bool = False
    item: bool = False
    number: int | None = None
    depth: int = 0


def _lines(body: str) -> Iterator[Line]:
    under, line = "", None
    fenced = after_blank = False
    for raw in body.split("\n"):
        if FENCE.match(raw):
            fenced = not fenced
            if line is not None and fenced:
                line.text = f"{line.text.rstrip(':')}:"
            continue
        if not raw.strip():
            after_blank = True
            continue
        heading, item = (None, None) if fenced else (HEADING.match(raw), ITEM.match(raw))
        apart = after_blank and not (line is not None and line.item and raw[0].isspace())
        if line is not None and (fenced or not (heading or item or apart)):
            line.text += f" {raw.strip()}"
            continue
        if line is not None:
            yield line
            line = None
        after_blank = False
        if heading:
            under = plain(heading[2])
            yield Line(under, under, heading=True)
        elif item:
            number = int(item[2]) if item[2] and len(item[2]) < 9 else None
            line = Line(item[3], under, item=True, number=number, depth=len(item[1].expandtabs(4)))
        else:
            line = Line(raw.strip(), under)
    if line is not None:
        yield line


def _steps(lines: list[Line]) -> Iterator[str]:
    """What to do: the numbered items, else the bullets, else the paragraphs; without what only tells."""
    doing = [line for line in lines if not line.heading and not TELLING.match(line.under)]
    numbered = [line for line in doing if line.number is not None]
    chosen = numbered or [line for line in doing if line.item] or doing
    least = min((line.depth for line in chosen), default=0)
    for line in chosen:
        text = plain(line.text)
        if text and line.depth < least + 2:
            yield text[:STEP_LENGTH]


def _front_matter(text: str) -> tuple[dict[str, list[str]], str]:
    """Its entries as lists of texts, and what comes after it. Only `name: text`, `[a, b]` and `- a` are understood."""
    match = FRONT_MATTER.match(text)
    if match is None:
        return {}, text
    told: dict[str, list[str]] = {}
    name = ""
    for line in match[1].splitlines():
        if entry := ENTRY.match(line):
            name = entry[1].lower()
            told[name] = _values(entry[2], as_list=name == "tags")
        elif name and line.strip().startswith("- "):
            told[name].append(_unquoted(line.strip()[2:]))
    return told, text[match.end() :]


def _values(text: str, *, as_list: bool) -> list[str]:
    inner = text.strip()
    if as_list:
        inner = inner.removeprefix("[").removesuffix("]")
    parts = inner.split(",") if as_list else [inner]
    return [value for value in map(_unquoted, parts) if value]


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
