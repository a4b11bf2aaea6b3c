"""The search of the sessions page: marked, linked to where it stands, in the address, and never without words."""

import re

import pytest

from escalations.actions import sessions
from escalations.models import AISession
from escalations.views.sessions import PAGE_SIZE
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def search(as_user, ann):
    """The page's HTML, blanks as they are shown."""

    def ask(question: str, *, user=ann, **more: object) -> str:
        answer = as_user(user).get("/sessions/", {"q": question, **more})
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())

    return ask


def test_a_result_shows_where_it_stands_and_leads_there(search, as_user, ann, ben, vic):
    session = SessionFactory(by=ann, title="Outlook loops", problem="")
    message = sessions.post(session, by=ann, body="The event log says 0x8004011d twice.")
    for user in (ann, ben, vic):
        page = search("outlook 0x8004", user=user)
        assert "1 session with “outlook 0x8004”" in page
        assert f'href="/sessions/{session.pk}/"><mark>Outlook</mark> loops</a>' in page
        assert f'href="/sessions/{session.pk}/#message-{message.pk}"' in page
        assert "The event log says <mark>0x8004011d</mark> twice." in page
        assert "Ann Abel" in page
    assert f'id="message-{message.pk}"' in as_user(ann).get(f"/sessions/{session.pk}/").content.decode()


def test_what_is_written_stays_text(search, ann):
    SessionFactory(by=ann, title="<script>alert(1)</script>", client_name='"><b>', problem="<img src=x> & <mark>needle")
    page = search('script needle "><b>')
    assert "<script>alert" not in page
    assert "&lt;<mark>script</mark>&gt;alert(1)&lt;/<mark>script</mark>&gt;" in page
    assert "&lt;img src=x&gt; &amp; &lt;mark&gt;<mark>needle</mark>" in page
    assert 'value="script needle &quot;&gt;&lt;b&gt;"' in page


def test_nobody_finds_another_accounts(search, ann, zoe):
    SessionFactory(by=ann, title="Printer offline")
    assert "1 session with" in search("printer")
    assert "0 sessions with" in search("printer", user=zoe)


def test_the_state_and_the_page_keep_the_question_and_the_question_the_state(search, ann):
    for number in range(PAGE_SIZE + 3):
        SessionFactory(by=ann, title=f"Printer {number}")
    SessionFactory(by=ann, title="Printer solved", resolved=True)
    assert AISession.objects.count() == PAGE_SIZE + 4
    page = search("printer & co", state="active")
    assert "0 sessions" in page
    page = search("printer", state="active")
    assert f"{PAGE_SIZE + 3} sessions with" in page
    assert "Printer solved" not in page
    assert 'href="?page=2&amp;state=active&amp;q=printer"' in page
    assert 'href="?state=resolved&amp;q=printer"' in page
    assert '<input type="hidden" name="state" value="active">' in page
    assert page.count("<mark>Printer</mark>") == PAGE_SIZE
    assert search("printer", state="active", page=2).count("<mark>Printer</mark>") == 3
    assert "<mark>Printer</mark> solved" in search("printer", state="resolved")
    assert "q=a%26b%22" in search('a&b"')


def test_nothing_found_is_said_in_words_with_a_way_out(search, ann):
    SessionFactory(by=ann, title="Printer offline")
    page = search("nobody", state="resolved")
    assert "No session in this state has all of that." in page
    assert 'href="?q=nobody">Search in all states</a>' in page
    assert "No session has all of that." in search("&&& !!")


def test_open_and_escalated_sessions_are_found_too_and_the_desk_is_out_of_the_way(search, ann):
    HandoffFactory(by=ann, session=SessionFactory(by=ann, title="Printer offline"))
    assert "My sessions" in search("")
    page = search("printer")
    assert "My sessions" not in page
    assert re.search(r'data-state="escalated">Escalated</span>', page)
