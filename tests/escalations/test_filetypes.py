"""What a file is, by its bytes, whatever it says of itself: sixty that lie, and those that may come."""

import io

import pytest

from escalations import filetypes
from escalations.filetypes import NotTaken, clean, recognise
from tests.attached import png

JPEG, GIF, WEBP = b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"GIF89a\x01\0\x01\0", b"RIFF\x24\0\0\0WEBPVP8 "
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
EXE, ZIP, EVTX, ELF = b"MZ\x90\0\x03\0\0\0", b"PK\x03\x04\x14\0\0\0", b"ElfFile\0\0\0\0\0", b"\x7fELF\x02\x01\x01\0"
HTML, SVG = b"<!doctype html><script>alert(1)</script>", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'

TAKEN = [
    ("shot.png", png(), "shot.png", "image/png"),
    ("PHOTO.JPG", JPEG, "PHOTO.JPG", "image/jpeg"),
    ("photo.jpeg", JPEG, "photo.jpeg", "image/jpeg"),
    ("a.gif", GIF, "a.gif", "image/gif"),
    ("a.webp", WEBP, "a.webp", "image/webp"),
    ("a.pdf", PDF, "a.pdf", "application/pdf"),
    ("setup.log", "Größe\r\n".encode(), "setup.log", filetypes.TEXT),
    ("setup.log", "\ufeffGröße".encode(), "setup.log", filetypes.TEXT),
    ("setup.log", "Größe".encode("utf-16"), "setup.log", filetypes.TEXT_UTF16),
    ("export.csv", b"a;b\n1;2\n", "export.csv", filetypes.TEXT),
    ("data.json", b'{"a": 1}', "data.json", filetypes.TEXT),
    ("hosts", b"127.0.0.1 localhost", "hosts.txt", filetypes.TEXT),
    # What it holds is fine; its name gets the ending that it should have.
    ("shot.exe", png(), "shot.exe.png", "image/png"),
    ("shot.html", png(), "shot.html.png", "image/png"),
    ("shot.log", png(), "shot.log.png", "image/png"),
    ("shot.jpg", png(), "shot.jpg.png", "image/png"),
    ("shot.svg", GIF, "shot.svg.gif", "image/gif"),
    ("page.html", PDF, "page.html.pdf", "application/pdf"),
    # Both a picture and a script; it is only ever shown as a picture.
    ("both.gif", b"GIF89a/*\0" + b"*/=1;alert(1)//", "both.gif", "image/gif"),
    ("both.jpg", JPEG + HTML, "both.jpg", "image/jpeg"),
    ("exif.jpg", JPEG + b"Exif\0\0<script>alert(1)</script>", "exif.jpg", "image/jpeg"),
    ("phar.png", png() + b"<?php system($_GET[0]);", "phar.png", "image/png"),
    ("both.pdf", PDF + b"<script>alert(1)</script>", "both.pdf", "application/pdf"),
    ("page.txt", HTML, "page.txt", filetypes.TEXT),
]  # fmt: skip
REFUSED = [
    *[(f"shot.{ending}", HTML) for ending in ("png", "jpg", "jpeg", "gif", "webp", "pdf")],
    *[(f"shot.{ending}", SVG) for ending in ("png", "svg", "gif", "html", "xml")],
    *[(f"shot.{ending}", EXE) for ending in ("png", "exe", "txt", "log", "com", "scr", "dll", "pdf")],
    *[(f"logs.{ending}", ZIP) for ending in ("zip", "docx", "jar", "txt", "csv", "png")],
    *[(f"run.{ending}", b"@echo off") for ending in ("bat", "cmd", "ps1", "vbs", "js", "hta", "lnk", "reg", "html")],
    *[(f"page.{ending}", HTML) for ending in ("html", "htm", "xhtml", "mht", "shtml")],
    ("System.evtx", EVTX), ("System.txt", EVTX), ("tool", ELF), ("tool.log", ELF),
    ("a.log", b"a\0b"), ("a.log", "a\0b".encode("utf-16")), ("a.log", "Größe".encode("latin-1")),
    ("a.log", "Größe".encode("utf-16-le")), ("a.log", b"\xed\xa0\x80"), ("a.log", b"\xc3"), ("a.log", b"\xff\xfea"),
    ("a.png", png()[1:]), ("a.png", b" " + png()), ("a.gif", b"GIF88a"), ("a.webp", b"RIFF\0\0\0\0WAVE"),
    ("a.pdf", b"junk before\n" + PDF), ("a.png", b"\x89PNG\n\x1a\n"), ("a.bmp", b"BM\x36\0"), ("a.ico", b"\0\0\1\0"),
    ("a.tiff", b"II*\0"), ("a.heic", b"\0\0\0\x18ftypheic"), ("a.svgz", b"\x1f\x8b\x08\0"),
    ("a.txt", b"\x1f\x8b\x08\0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "called", "kind"), TAKEN, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(TAKEN)]
)
def test_what_may_come(name, content, called, kind):
    assert recognise(name, io.BytesIO(content)) == (called, kind)


def test_whatever_lies_about_itself_is_refused():
    assert len(REFUSED) >= 60
    for name, content in REFUSED:
        with pytest.raises(NotTaken):
            pytest.fail(f"{name} {content[:20]!r} became {recognise(name, io.BytesIO(content))}")


@pytest.mark.parametrize(
    ("told", "called"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("C:\\Users\\ann\\shot.png", "shot.png"),
        ("/", "file"),
        ("..", "file"),
        ("", "file"),
        (" . ", "file"),
        ("a\0b.png", "ab.png"),
        ("shot\r\nSet-Cookie: x.png", "shotSet-Cookie_ x.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\u2066b\u2069\u200b.png", "ab.png"),
        ("shot\u00a0\u3000 1.png", "shot 1.png"),
        ('<img src=x onerror="alert(1)">.png', "_img src=x onerror=_alert(1)__.png"),
        ("e\u0301.png", "\u00e9.png"),
        ("\ud800.png", "png"),
        ("CON", "CON"),
    ],
)
def test_names_lose_folders_and_what_hides_or_turns_them(told, called):
    assert clean(told) == called


@pytest.mark.parametrize(
    "told", ["x" * 500 + ".png", "ﷺ" * 500 + ".png", "x" * 500, "x." + "y" * 500, "👩‍💻" * 200 + ".jpeg"]
)
def test_long_names_are_shortened_and_keep_their_ending(told):
    called = clean(told)
    assert 0 < len(called) <= filetypes.NAME_LENGTH
    assert not told.endswith((".png", ".jpeg")) or called.rpartition(".")[2] == told.rpartition(".")[2]
    assert len(recognise(told[:400] + ".exe", io.BytesIO(png())).name) <= filetypes.NAME_LENGTH


def test_an_excerpt_has_the_beginning_and_the_end_masked_however_long_the_text_is():
    secret = "password: Hunter2-secret!"
    lines = [secret, *(f"line {n}" for n in range(9000)), secret, "Error 0x80070005", ""]
    shown = filetypes.excerpt(io.BytesIO("\n".join(lines).encode()), filetypes.TEXT)
    assert shown.startswith("password: [hidden password]\nline 0\n")
    assert shown.endswith("password: [hidden password]\nError 0x80070005")
    assert "\n…\n" in shown
    assert len(shown) <= filetypes.EXCERPT_LENGTH
    assert filetypes.excerpt(io.BytesIO(png()), "image/png") == ""
    assert filetypes.excerpt(io.BytesIO("Größe".encode("utf-16")), filetypes.TEXT_UTF16) == "Größe"


def test_a_secret_longer_than_the_excerpt_does_not_begin_outside_of_what_is_looked_at():
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + ("A" * 64 + "\n") * 60 + "-----END RSA PRIVATE KEY-----\n"
    shown = filetypes.excerpt(io.BytesIO(("line\n" * 2000 + key + "end\n").encode()), filetypes.TEXT)
    assert "AAAA" not in shown
