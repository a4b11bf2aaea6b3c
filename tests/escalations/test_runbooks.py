"""A runbook's Markdown becomes a page: its title, its steps, and what is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalations import runbooks
from escalations.runbooks import BadPage, parse

WHOLE = """---
title: "The spooler hangs"
tags: [printing, 0x00000709]
owner: Field team
---

# Something else

Symptoms:

## Symptoms

1. Jobs stay in the queue

## What to do

1. Stop the **spooler** (`net stop spooler`)
2. Clear [its folder](https://intranet.example/spool)
   on the server
   - not the driver folder
3. Start it again

```
net start spooler
```

## References

1. The vendor's page
"""


def steps(text):
    return list(parse(text, path="a.md").steps)


def test_a_page_says_what_it_is_about_and_what_to_do():
    page = parse(WHOLE, path="printing/spooler.md")
    assert (page.title, page.tags) == ("The spooler hangs", ("printing", "0x00000709"))
    assert page.steps == (
        "Stop the spooler (net stop spooler)",
        "Clear its folder on the server",
        "Start it again: net start spooler",
    )
    assert page.body.startswith("# Something else")


def test_front_matter_is_optional_and_the_first_heading_is_the_title():
    page = parse("# VPN is *slow* #\n\n- Test with a cable\n- Read the MTU", path="vpn.md")
    assert (page.title, page.tags, page.steps) == ("VPN is slow", (), ("Test with a cable", "Read the MTU"))


def test_without_a_heading_the_files_name_is_the_title():
    assert parse("Call the provider.", path="lines/provider down.md").title == "provider down"


def test_tags_may_be_a_list_below_their_name():
    assert parse("---\ntags:\n  - dns\n  - 'split brain'\n---\nx", path="a.md").tags == ("dns", "split brain")


def test_numbered_items_go_before_bullets_and_bullets_before_paragraphs():
    assert steps("- a note\n\n1. One\n2) Two") == ["One", "Two"]
    assert steps("Some words.\n\n* [ ] One\n+ [x] Two") == ["One", "Two"]
    assert steps("# T\n\nUnplug it.\nThen wait.\n\nPlug it in.") == ["Unplug it. Then wait.", "Plug it in."]


def test_what_only_tells_is_no_step():
    assert steps("## Causes\n- Old driver\n## Fix\n- New driver\n## See also\n- KB 12") == ["New driver"]
    assert steps("## Scope is full\n- Extend it") == ["Extend it"]


def test_what_is_fenced_is_no_list_and_no_heading():
    assert steps("1. Run this\n```\n# not a heading\n2. not an item\n```\n3. Look") == [
        "Run this: # not a heading 2. not an item",
        "Look",
    ]


def test_a_paragraph_below_a_list_is_no_part_of_it_but_what_is_indented_is():
    assert steps("1. One\n\n   more of it\n2. Two\n\nCall us.") == ["One more of it", "Two"]


def test_a_page_may_have_no_steps():
    assert steps("# Only a heading") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing"),
        (" \n\t\n", "nothing"),
        ("---\ntitle: x\n---\n", "nothing"),
        ("a\0b", "NUL"),
        ("x" * 200_001, "200,000"),
    ],
)
def test_a_page_that_cannot_be_kept_says_why(text, said):
    with pytest.raises(BadPage, match=said):
        parse(text, path="a.md")


@pytest.mark.parametrize("path", ["x" * 300 + ".md", "a\nb.md", "a\udc80.md"])
def test_a_name_that_cannot_be_kept_says_so(path):
    with pytest.raises(BadPage, match="name"):
        parse("x", path=path)


def test_a_windows_file_reads_the_same():
    windows = "\ufeff" + WHOLE.replace("\n", "\r\n")
    assert parse(windows, path="a.md") == parse(WHOLE, path="a.md")


@given(
    st.lists(
        st.sampled_from(["- a", "1. b", "```", "# h", "", "text", "    deep", "---", "title: x", "[](", "**", "\t* c"])
    )
)
def test_any_markdown_is_a_page_or_a_bad_one(lines):
    try:
        page = parse("\n".join(lines), path="a.md")
    except BadPage:
        return
    assert page.title
    assert all(step and step == " ".join(step.split()) for step in page.steps)


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("**Stop** the _service_", "Stop the service"),
        ("`rm -rf *` is no fix", "rm -rf * is no fix"),
        ("snake_case_names and 2 * 3 * 4 stay", "snake_case_names and 2 * 3 * 4 stay"),
        ("![a picture](x.png) and [a link](y)", "a picture and a link"),
        ("<b>bold</b>", "<b>bold</b>"),
    ],
)
def test_marks_are_taken_off(markdown, text):
    assert runbooks.plain(markdown) == text


def test_files_are_found_at_any_depth_but_hidden_ones(tmp_path):
    for name in ("b.md", "a/c.MARKDOWN", "a/d.txt", ".git/e.md", "a/.f.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [path.relative_to(tmp_path).as_posix() for path in runbooks.files(tmp_path)] == ["a/c.MARKDOWN", "b.md"]
