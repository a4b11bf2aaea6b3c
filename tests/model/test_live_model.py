"""However events, frames, sockets and processes interleave: at rest every page shows exactly the server's list.

Hypothesis invents the steps; `PROPTEST_EXAMPLES` says how many runs (`make proptest N=10000`).
"""

import os

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.model import world as around
from tests.model.world import Desk, World

RUNS = int(os.environ.get("PROPTEST_EXAMPLES", "50"))
STEPS = 30

NUMBERS = st.integers(0, 11)
TEAMS = st.integers(0, 3).map(lambda n: n // 3)  # mostly the first, which has more pages
USUAL_FATES = ["delivered", "delivered", "compared"]
OTHER_FATES = ["in flight", "late", "late", "lost", "reversed"]
EVERY_VERB = [
    "undo",
    "go_back",
    "change_hands",
    "pick_up",
    "pick_up",
    "release",
    "release",
    "take_back",
    "resolve",
    "assess",
    "give_up",
    "try_again",
    "again",
]
# Of those that this run has: see `begin`.
FATES = st.runner().flatmap(lambda run: st.sampled_from(run.fates))
VERBS = st.runner().flatmap(lambda run: st.sampled_from(run.verbs))


def some_of(every: list[str]) -> st.SearchStrategy[list[str]]:
    """About half of the kinds, or none, each as often as it stands in `every`."""
    kinds = list(dict.fromkeys(every))
    chosen = st.lists(st.booleans(), min_size=len(kinds), max_size=len(kinds))
    return chosen.map(lambda marks: [each for each in every if marks[kinds.index(each)]])


class LiveQueue(RuleBasedStateMachine):
    """Two accounts; the first has two pages open, the second one."""

    desks: list[Desk]
    begun = 0  # runs, of the class
    fates: list[str]
    verbs: list[str]

    @initialize(fates=some_of(OTHER_FATES), verbs=some_of(EVERY_VERB))
    def begin(self, fates, verbs) -> None:
        """A run has some verbs and fates, not all: what each undoes of another's would else hide it. Where nothing is
        ever lost, pages are compared at any time, and not after a heartbeat has mended them."""
        type(self).begun += 1
        self.fates = USUAL_FATES + fates
        self.verbs = verbs or EVERY_VERB
        around.wipe()
        self.world = World()
        for team in (0, 0, 1):
            self.world.open_page(self.desks[team].people[0])

    # What people and the worker do

    @rule(team=TEAMS, person=NUMBERS, fate=FATES)
    def escalate(self, team, person, fate):
        self.desks[team].escalate(self.someone(team, person))
        self.announce(fate)

    @rule(team=TEAMS, number=NUMBERS, verb=VERBS, person=NUMBERS, fate=FATES)
    def act(self, team, number, verb, person, fate):
        self.desks[team].act(number, verb, self.someone(team, person))
        self.announce(fate)

    @rule(team=TEAMS, number=st.integers(0, 3), first=VERBS, second=VERBS, person=NUMBERS, fate=FATES)
    def act_round_an_arrival(self, team, number, first, second, person, fate):
        """All three are committed before the first is announced."""
        desk = self.desks[team]
        desk.act(number, first, self.someone(team, person))
        desk.escalate(self.someone(team, person))
        desk.act(number + 1, second, self.someone(team, person))
        self.announce(fate)

    @rule(team=TEAMS, number=NUMBERS, back=st.sampled_from(["release", "undo", "go_back"]), person=NUMBERS, fate=FATES)
    def come_back_round_an_arrival(self, team, number, back, person, fate):
        """A card leaves and returns to the top before anybody hears that it left; another arrives meanwhile."""
        desk = self.desks[team]
        desk.act(number, "pick_up", self.someone(team, person))
        desk.escalate(self.someone(team, person))
        desk.act(number + 1, back, self.someone(team, person))
        self.announce(fate)

    @rule(team=TEAMS, number=NUMBERS, size=st.integers(3, 5), fate=FATES, stalls=st.booleans())
    def burst(self, team, number, size, fate, stalls):
        """More than a mailbox holds; one of those who hear of it may have stopped reading."""
        if stalls:
            pages = [page for page in self.world.pages if page.user.account == self.desks[team].account]
            self.world.stall(pages[number % len(pages)])
        self.desks[team].escalate(self.someone(team, number))
        for turn in range(size):
            self.desks[team].act(0, "give_up" if turn % 2 == 0 else "try_again", self.someone(team, number))
        self.announce(fate)

    @rule(team=TEAMS, number=NUMBERS, verb=VERBS, person=NUMBERS, fate=st.sampled_from(USUAL_FATES))
    def fail_at_the_commit(self, team, number, verb, person, fate):
        desk, who = self.desks[team], self.someone(team, person)
        around.rolled_back(lambda: desk.escalate(who) if number < 3 else desk.act(number, verb, who))
        self.announce(fate)

    # What the network does

    @precondition(lambda self: self.world.late)
    @rule(number=NUMBERS)
    def announce_what_stood_still(self, number):
        self.world.go_on(number % len(self.world.late))

    @precondition(lambda self: self.world.in_flight)
    @rule(number=NUMBERS, twice=st.booleans())
    def let_through(self, number, twice):
        self.world.let_through(number % len(self.world.in_flight), twice=twice)

    @precondition(lambda self: self.world.in_flight)
    @rule()
    def let_all_through(self):
        while self.world.in_flight:
            self.world.let_through(0)

    @precondition(lambda self: self.world.in_flight)
    @rule(number=NUMBERS)
    def lose(self, number):
        self.world.lose(number % len(self.world.in_flight))

    @rule(number=NUMBERS)
    def break_a_connection(self, number):
        socket = self.page(number).socket
        if socket:
            socket.break_off()
        self.world.settle()

    @rule(number=NUMBERS)
    def stall_or_resume_a_client(self, number):
        page = self.page(number)
        if page.socket and not page.socket.has_room.is_set():
            page.socket.has_room.set()
        else:
            self.world.stall(page)
        self.world.settle()

    @rule(number=NUMBERS)
    def slow_a_page_down(self, number):
        self.world.slow.add(self.page(number))

    @precondition(lambda self: self.world.fetches)
    @rule(number=NUMBERS, fails=st.booleans())
    def go_on_with_a_request(self, number, fails):
        fetch = self.world.fetches[number % len(self.world.fetches)]
        if fetch[1] is None:
            self.world.serve(fetch)
        else:
            self.world.land(fetch, fails=fails)
        self.world.settle()

    # What the server does

    @rule()
    def restart(self):
        self.world.restart()

    @rule()
    def forget_members(self):
        """The channel layer loses its groups, and the hub does not notice until it joins again."""
        self.world.layer.forget_members()

    @rule(seconds=st.sampled_from([0.05, 1.0, 3.0, 15.0]))
    def pass_time(self, seconds):
        self.world.pass_time(seconds)

    # What readers do

    @precondition(lambda self: len(self.world.pages) < 6)
    @rule(team=TEAMS)
    def open_a_page(self, team):
        self.world.open_page(self.someone(team, len(self.world.pages)))

    @rule(number=NUMBERS)
    def reload_a_page(self, number):
        page = self.page(number)
        self.world.close_page(page)
        self.world.open_page(page.user)

    @rule(number=NUMBERS, verb=VERBS, which=NUMBERS, fate=FATES)
    def reload_a_page_while_something_happens(self, number, verb, which, fate):
        """Between the reading of the cursor and the reading of the list, or between either and the socket."""
        page = self.page(number)
        desk = Desk.of(page.user.account)

        def meanwhile() -> None:
            desk.escalate(desk.people[which % 3]) if which < 4 else desk.act(which, verb, desk.people[0])
            self.world.announce("in flight" if fate in {"delivered", "compared"} else fate)

        self.world.close_page(page)
        self.world.between = meanwhile
        self.world.open_page(page.user)

    @rule(number=NUMBERS, verb=VERBS, which=NUMBERS, fate=FATES)
    def something_happens_during_the_next_reading(self, number, verb, which, fate):
        desk = Desk.of(self.page(number).user.account)

        def meanwhile() -> None:
            desk.act(which, verb, desk.people[0])
            self.world.announce("in flight" if fate in {"delivered", "compared"} else fate)

        self.world.between = meanwhile

    # What must hold

    @precondition(lambda self: not all(map(self.world.is_lossy, self.world.pages)))
    @rule()
    def come_to_rest(self):
        """Without a loss no heartbeat is needed."""
        self.world.come_to_rest()
        self.world.check_pages()

    @rule()
    def let_heartbeats_come(self):
        self.world.let_heartbeats_come()
        self.world.check_pages()

    @invariant()
    def nothing_is_shown_twice_or_to_strangers(self):
        if hasattr(self, "world"):
            self.world.check_what_always_holds()

    def teardown(self):
        if not hasattr(self, "world"):
            return
        try:
            self.come_to_rest()
            self.let_heartbeats_come()
            around.audit_is_clean()
        finally:
            self.world.close()

    def announce(self, fate):
        """Let that become of the events, or let all be delivered and look at once, before more can hide what it did."""
        self.world.announce("delivered" if fate == "compared" else fate)
        if fate == "compared":
            self.come_to_rest()

    def page(self, number):
        return self.world.pages[number % len(self.world.pages)]

    def someone(self, team, number):
        return self.desks[team].people[number % len(self.desks[team].people)]


def run(desks: list[Desk], *, runs: int, luck: int | None = None, **more) -> None:
    """Let the machine run; the first thing that does not hold is raised. The same `luck` gives the same runs."""
    machine = type("LiveQueueRun", (LiveQueue,), {"desks": desks})
    if luck is not None:
        seed(luck)(machine)
    told = settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        print_blob=False,
        **more,
    )
    try:
        run_state_machine_as_test(machine, settings=told)
    except Exception as found:
        found.add_note(f"after {machine.begun} runs")
        raise


def test_at_rest_every_page_shows_exactly_the_servers_list(teams):
    run(teams, runs=RUNS)


def test_a_card_put_back_before_its_pickup_was_announced_stands_on_top(teams):
    harbor = teams[0]
    around.wipe()
    world = World()
    try:
        page = world.open_page(harbor.people[0])
        first = harbor.escalate(harbor.people[0])
        world.announce("delivered")
        harbor.pick_up(first, harbor.people[1])
        harbor.escalate(harbor.people[0])
        harbor.release(first, harbor.people[1])
        world.announce("delivered")
        world.come_to_rest()
        world.check_pages()
        assert page.cards[0].handoff == str(first.pk)
    finally:
        world.close()
