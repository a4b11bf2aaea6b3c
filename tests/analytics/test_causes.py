"""Repeated causes: what fixed several sessions reads alike."""

from datetime import timedelta

import pytest
from django.utils import timezone

from analytics import causes
from escalations.actions import handoffs, learning, pruning, sessions
from escalations.assessor import grouping, sentences
from escalations.models import AISession, Meaning
from tests.factories import HandoffFactory, SessionFactory
from tests.weights import needs_weights

SPOOLER = (
    "Cleared the stuck job from the print spooler and restarted the service.",
    "A stuck job blocked the print spooler. Emptied the queue and restarted the spooler service.",
    "The print spooler hung on a stuck job; deleting it and restarting the service helped.",
)
TOKEN = ("Deleted the cached sign-in token of Outlook.", "Outlook kept an old cached sign-in token; deleted it.")
CABLE = "Replaced the broken network cable behind the desk."
# What other teams wrote about the same thing, and about something that only sounds like it.
SAME = [
    (SPOOLER[0], SPOOLER[1]),
    TOKEN,
    ("The certificate had expired; renewed it and bound it in IIS.", "Renewed the expired certificate in IIS."),
    ("Mailbox was over its quota. Enabled the archive.", "Quota of the mailbox was full, so the archive was enabled."),
    ("The DHCP scope was exhausted. Widened it.", "The DHCP scope had no free leases left. Made it larger."),
]
DIFFERENT = [
    ("Renewed the expired certificate in IIS.", "Renewed the expired Microsoft 365 licence."),
    ("The DHCP scope was exhausted. Widened it.", "The DNS zone was stale. Enabled scavenging."),
    ("Deleted the cached sign-in token of Outlook.", "Made a new profile in Outlook."),
    ("Disabled SIP ALG on the router.", "Opened UDP 500 and 4500 on the router for the tunnel."),
    ("Restarted the print spooler service.", "Rolled out the new printer driver."),
]

pytestmark = pytest.mark.django_db


def fixed(by, *resolutions, **fields):
    return [SessionFactory(by=by, resolved=True, resolution=text, **fields) for text in resolutions]


def found(account, now=None):
    return causes.of(account, now=now or timezone.now())


def read(account):
    learning.catch_up(account, seconds=60)
    assert learning.read_fixes(account, seconds=60)


@needs_weights
@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_fix_in_other_words_is_one_cause(one, other):
    assert grouping.by_meaning(sentences.encode([one, CABLE, other])) == [[0, 2]]


@needs_weights
@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_fix_that_sounds_like_it_is_another_cause(one, other):
    assert grouping.by_meaning(sentences.encode([one, other])) == []
    assert grouping.by_words([one, other]) == []


@needs_weights
def test_sessions_whose_resolutions_read_alike_are_one_cause(ann, ben, harbor):
    spooler, token, _ = fixed(ann, *SPOOLER), fixed(ben, *TOKEN), fixed(ann, CABLE)
    read(harbor)
    told = found(harbor)
    assert [{session.pk for session in cause.sessions} for cause in told.shown] == [
        {session.pk for session in spooler},
        {session.pk for session in token},
    ]
    assert (told.compared, told.resolved, told.by_words, told.is_all) == (6, 6, False, True)


def test_without_weights_the_words_decide_and_the_page_says_so(as_user, ann, harbor, olga):
    with sentences.left_out():
        fixed(ann, SPOOLER[0], "Restarted the print spooler service; a stuck job was cleared from it.", CABLE)
        (cause,) = found(harbor).shown
        assert len(cause.sessions) == 2
        assert "in the words that they share" in as_user(olga).get("/analytics/causes/").content.decode()


def test_one_of_a_kind_is_no_repeated_cause(ann, harbor):
    fixed(ann, SPOOLER[0], CABLE)
    told = found(harbor)
    assert (told.count, told.resolved) == (0, 2)
    fixed(ann, SPOOLER[0])
    assert found(harbor).count == 1


def test_a_cause_tells_whom_it_hit_and_how_long_it_took(ann, ben, harbor):
    fixed(ann, TOKEN[0], client_name="Brightwater")
    for client in ("Brightwater", "Oakenshard", ""):
        handoff = HandoffFactory(by=ann, session=SessionFactory(by=ann, client_name=client), picker=ben)
        sessions.resolve(handoff.session, by=ben, resolution=TOKEN[0])
    (cause,) = found(harbor).shown
    assert cause.clients == [("Brightwater", 2), ("Oakenshard", 1)]
    assert (len(cause.sessions), cause.n) == (4, 3)
    assert cause.first == min(s.resolved_at for s in cause.sessions) < cause.last
    assert 0 <= cause.to_resolution < 60


def test_too_few_of_them_have_no_median(ann, ben, harbor):
    for _ in range(2):
        handoff = HandoffFactory(by=ann, picker=ben)
        sessions.resolve(handoff.session, by=ben, resolution=TOKEN[0])
    (cause,) = found(harbor).shown
    assert (cause.n, cause.to_resolution) == (2, None)


def test_who_took_it_back_and_solved_it_has_no_time_to_resolution(ann, harbor):
    for _ in range(3):
        handoff = HandoffFactory(by=ann)
        handoffs.take_back(handoff, by=ann)
        sessions.resolve(AISession.objects.get(pk=handoff.session_id), by=ann, resolution=TOKEN[0])
    (cause,) = found(harbor).shown
    assert cause.n == 0


def test_only_the_last_90_days_count(ann, harbor):
    fixed(ann, CABLE, CABLE)
    now = timezone.now()
    assert found(harbor, now + timedelta(days=89)).count == 1
    assert found(harbor, now + timedelta(days=91)).count == 0


def test_another_accounts_sessions_are_never_in_it(ann, zoe, harbor, summit):
    mine, theirs = fixed(ann, CABLE), fixed(zoe, CABLE, CABLE)
    assert found(harbor).count == 0
    (cause,) = found(summit).shown
    assert {session.pk for session in cause.sessions} == {session.pk for session in theirs}
    assert mine[0] not in cause.sessions


def test_what_is_remembered_is_thought_over_when_a_session_comes_or_its_texts_go(ann, harbor, monkeypatch):
    grouped = []
    by_words = grouping.by_words
    monkeypatch.setattr(causes.grouping, "by_words", lambda texts: grouped.append(len(texts)) or by_words(texts))
    fixed(ann, CABLE, CABLE)
    assert [found(harbor).count, found(harbor).count] == [1, 1]
    assert grouped == [2]
    fixed(ann, TOKEN[0], TOKEN[0])
    assert found(harbor).count == 2
    pruning.prune(harbor, before=timezone.now() + timedelta(days=1), command="prune")
    assert found(harbor).count == 0


@needs_weights
def test_what_is_not_read_yet_is_said_not_to_be_compared(ann, harbor):
    fixed(ann, *SPOOLER)
    read(harbor)
    fixed(ann, CABLE)
    told = found(harbor)
    assert (told.compared, told.resolved, told.count, told.is_all) == (3, 4, 1, False)


@needs_weights
def test_the_worker_reads_the_fix_with_the_session_and_later_what_older_ones_lack(ann, harbor):
    (session, other) = fixed(ann, TOKEN[0], CABLE)
    learning.learn(session.pk)
    learning.catch_up(harbor, seconds=60)
    assert [meaning.session for meaning in Meaning.objects.filter(fix=None)] == [other]
    assert learning.read_fixes(harbor, seconds=60)
    assert not Meaning.objects.filter(fix=None).exists()
    (vector,) = sentences.encode([CABLE])
    kept = bytes(Meaning.objects.get(session=other).fix)
    assert sentences.cosines(vector, [kept])[0] == pytest.approx(1, abs=0.002)


def test_a_group_is_around_the_text_that_has_the_most_like_it():
    chain = ["alpha beta gamma delta", "gamma delta epsilon beta", "epsilon zeta gamma delta", "omega"]
    assert grouping.by_words(chain) == [[1, 0, 2]]
    assert grouping.by_words([]) == grouping.by_words(["", ""]) == grouping.by_words(["one"]) == []


# The page


def test_each_cause_links_to_exactly_its_sessions(as_user, ann, olga):
    spooler, (cable,) = fixed(ann, CABLE, CABLE), fixed(ann, TOKEN[0])
    page = as_user(olga).get("/analytics/causes/").content.decode()
    assert [f"/sessions/{session.pk}/#resolution" in page for session in spooler] == [True, True]
    assert f"/sessions/{cable.pk}/" not in page
    assert CABLE in page


def test_the_page_says_when_nothing_came_twice(as_user, olga):
    assert "Nothing came twice" in as_user(olga).get("/analytics/causes/").content.decode()


def test_the_page_is_for_owners_and_admins(as_user, ann, vic, adam, olga):
    answers = [as_user(person).get("/analytics/causes/").status_code for person in (ann, vic, adam, olga)]
    assert answers == [403, 403, 200, 200]
    assert as_user(olga).post("/analytics/causes/").status_code == 405
