# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cards are watched by what the real pcscd tells of its readers: they come and go at once, and are read only when another
program has used them. What was sent to a card is in its own record."""

import contextlib
import subprocess
import time

import pytest
from card_user import SELECT, CardUser
from sandbox import FOLDER, PYTHON, TIMEOUT, count_switches, count_switches_since, wait_until, wait_until_asleep
from support import BusError, Client, nothing_sent, only_path, only_token, raises

STRANGER = f"{FOLDER}/source/tests/integration/strange_card.py"
READERS = f"{FOLDER}/readers"

# By then what is waited for has happened, on any machine: how long it took is told. In seconds.
SOON = 30
# Longer than what is looked for would take to be begun, on any machine that is not at its limit
A_WHILE = 2
# While a program goes on using a card, it is looked at this often.
PATIENCE = 1.5
# No longer than this is a card kept that another program has used for long and left.
KEPT = 15
# A card whose token was given up is looked into again after this, and then ever more seldom.
GIVEN_UP = 10
# A real card takes its time for each command, in milliseconds.
REALISTIC = "delay * 10"
# Of all our processes together, while cards are watched that nobody uses, a second
WAKE_UPS_MAX = 8
# To ask a card of which OpenSC knows all that is on it: OpenSC's own commands, and ours, by which it tells its tries
ASKING = {"piv-card": 2 + 2, "openpgp-card": 2 + 3}


def sent_to(token):
    return len(token.calls())


def wait_until_left_alone(token, seconds=3, timeout=TIMEOUT):
    """Waits for a time without a command to the card; returns how many it has had."""
    seen = {"count": None, "since": 0}

    def is_left_alone():
        count = sent_to(token)
        if count != seen["count"]:
            seen.update(count=count, since=time.monotonic())
        return time.monotonic() - seen["since"] > seconds

    wait_until(is_left_alone, timeout, f"{seconds} seconds without a command")
    return seen["count"]


def commands_of_a_look(client, token, path):
    """How many commands it takes to look at all that is on the card."""
    before = wait_until_left_alone(token)
    client.refresh(path)
    return wait_until_left_alone(token) - before


def pcscd(sandbox):
    """The number outside of its process; None if there is none."""
    found = [outside for outside, _, arguments in sandbox.processes().values() if arguments[:1] == ["pcscd"]]
    return found[0] if found else None


@contextlib.contextmanager
def started_pcscd(sandbox):
    """Starts it again, as the card's setup does."""
    daemon = sandbox.popen(
        "root",
        ["pcscd", "--foreground", "--config", READERS],
        env={"PCSCLITE_HP_DROPDIR": f"{READERS}/drivers"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        daemon.terminate()
        daemon.wait(TIMEOUT)


def stop_pcscd(sandbox):
    sandbox.kill(pcscd(sandbox))


def wait_for_card(sandbox):
    """Waits until pcscd tells of a card: no sooner can anybody know of it."""

    def is_there():
        # As long as pcscd does not listen, there is no user.
        with contextlib.suppress(AssertionError), CardUser(sandbox) as user:
            return user.ask("present", 0) == "yes"

    wait_until(is_there, what="the card in pcscd")


def wait_signal(client, name):
    """Waits for the signal, and says how long that took."""
    begun = time.monotonic()
    client.wait_signal(name)
    print(f"{name} within {time.monotonic() - begun:.2f} s")


def pin_state(client, path):
    return client.status(path)["pin-state"]


def test_card_comes_and_goes(make_sandbox):
    """Told to a subscriber at once, again and again."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        only_path(client)
        for _ in range(3):
            token.fault("vanish")
            wait_signal(client, "InterfacesRemoved")
            assert client.tokens() == []
            token.clear_faults()
            wait_signal(client, "InterfacesAdded")
            (path,) = client.tokens()
            assert pin_state(client, path) == "ok"
    assert token.counters() == {"pin": 3, "puk": 3}


def test_pcscd_is_started_again(make_sandbox):
    """Its cards are gone with it, and come back with it."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        only_path(client)
        stop_pcscd(sandbox)
        wait_signal(client, "InterfacesRemoved")
        for _ in range(2):
            assert client.tokens() == []
            assert client.modules()[0]["state"] == "ready"
            with started_pcscd(sandbox):
                wait_for_card(sandbox)
                wait_signal(client, "InterfacesAdded")
                (path,) = client.tokens()
                assert pin_state(client, path) == "ok"
                token.wrong_pin(2)
                client.wait_status(path, {"pin-state": "final-try"}, timeout=SOON)
                assert token.login(sandbox.pin)
                client.wait_signal("StatusChanged", timeout=SOON)
            wait_signal(client, "InterfacesRemoved")


def test_pcscd_is_started_after_tokend(make_sandbox):
    """It is waited for, without a hurry; then its cards are there."""
    sandbox = make_sandbox(["piv-card"])
    stop_pcscd(sandbox)
    sandbox.stop_tokend()
    sandbox.start_tokend()
    with Client(sandbox) as client:
        client.subscribe()
        assert client.tokens() == []
        assert client.modules()[0]["state"] == "ready"
        with started_pcscd(sandbox):
            wait_for_card(sandbox)
            wait_signal(client, "InterfacesAdded")
            (path,) = client.tokens()
            assert pin_state(client, path) == "ok"


class StrangeCard:
    """A card that OpenSC does not know: see strange_card.py."""

    def __init__(self, sandbox, reader):
        argv = [PYTHON, "-u", STRANGER, str(reader)]
        self.path = f"{FOLDER}/log/strange-card.log"
        with open(sandbox.path(self.path), "wb") as log:
            self._program = sandbox.popen("root", argv, stdin=subprocess.DEVNULL, stdout=log)
        self._sandbox = sandbox
        wait_until(lambda: "ready" in self.calls(), what="the strange card's power")

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._program.kill()
        self._program.wait(TIMEOUT)

    def calls(self):
        """The commands that it was sent, and "ready" each time that it got power."""
        return self._sandbox.read_file(self.path).split()


def test_card_that_opensc_does_not_know(make_sandbox):
    """It is tried once and then left alone, also when other programs use it; the other card is served as ever."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        with StrangeCard(sandbox, 1) as card:
            wait_until(lambda: len(card.calls()) > 1, what="a command to the strange card")
            wait_until_left_alone(card)
            tried = card.calls()
            with CardUser(sandbox) as user:
                for _ in range(3):
                    user.connect("shared", reader=1)
                    assert user.ask("send", SELECT["piv-card"]) == "6D00"
                    time.sleep(A_WHILE)
                    user.do("disconnect")
            wait_until_left_alone(token)
            assert len(card.calls()) - len(tried) - 3 == card.calls()[len(tried) :].count("ready")
            assert client.modules()[0]["state"] == "ready"
            assert client.tokens() == [path]
            token.wrong_pin(2)
            client.wait_status(path, {"pin-state": "final-try"}, timeout=SOON)
        assert client.take_signals("InterfacesRemoved") == []


def test_nothing_is_sent_to_an_idle_card(make_sandbox):
    """With a subscriber, and with one who asks for the status over and over."""
    sandbox = make_sandbox(["piv-card", "openpgp-card"])
    tokens = list(sandbox.tokens.values())
    with Client(sandbox) as client:
        client.subscribe()
        before = [wait_until_left_alone(token) for token in tokens]
        begun = time.monotonic()
        while time.monotonic() < begun + 20:
            for path in client.tokens():
                assert client.status(path)["pin-state"] == "ok"
            time.sleep(0.5)
        assert [sent_to(token) for token in tokens] == before


def count_wake_ups(sandbox, seconds):
    """How often any thread of ours is woken up meanwhile."""
    processes = [sandbox.tokend(), *sandbox.hosts("watch")]
    before = [count_switches(process) for process in processes]
    time.sleep(seconds)
    assert processes == [sandbox.tokend(), *sandbox.hosts("watch")]
    return sum(count_switches_since(earlier, process) for earlier, process in zip(before, processes))


@pytest.mark.parametrize("kinds", [["piv-card"], ["piv-card", "openpgp-card"]], ids=["one card", "two cards"])
def test_wake_ups(make_sandbox, kinds):
    """Few with idle cards and a subscriber; without one or the other there are none."""
    sandbox = make_sandbox(kinds)
    tokens = list(sandbox.tokens.values())
    with Client(sandbox) as client:
        client.subscribe()
        before = [wait_until_left_alone(token) for token in tokens]
        counted = count_wake_ups(sandbox, 10)
        print(f"{counted / 10} wake-ups a second")
        assert 0 < counted <= 10 * WAKE_UPS_MAX
        assert [sent_to(token) for token in tokens] == before

        ours = [sandbox.tokend(), *sandbox.hosts("watch")]
        client.unsubscribe()
        wait_until_asleep(ours)
        client.subscribe()
        for token in tokens:
            token.fault("vanish")
        wait_until(lambda: client.tokens() == [], what="the cards to be gone")
        wait_until_asleep(ours)


def test_host_that_ends_while_nobody_is_subscribed(make_sandbox):
    """The next one has read the cards before anybody is told what there is: none has gone for that."""
    sandbox = make_sandbox(["piv-card"])
    with Client(sandbox) as client:
        path = only_path(client)
        (before,) = sandbox.hosts("watch")
        sandbox.kill(before)
        wait_until(lambda: sandbox.hosts("watch") not in ([], [before]), what="another host")
        wait_until(lambda: client.modules()[0]["state"] == "ready", what="the module")
        assert client.tokens() == [path]
        assert client.refresh(path)["pin-state"] == "ok"


def test_host_whose_file_is_replaced(make_sandbox):
    """As by an upgrade: what is watched goes on being watched."""
    sandbox = make_sandbox(["piv-card"])
    host = f"{FOLDER}/bin/tokend-module"
    replace = ["sh", "-c", f"cp -L {host} {host}.new && mv {host}.new {host}"]
    assert sandbox.run("root", replace).returncode == 0
    sandbox.restart_tokend()
    with Client(sandbox) as client:
        client.subscribe()
        path = only_path(client)
        assert sandbox.run("root", replace).returncode == 0
        assert client.refresh(path)["pin-state"] == "ok"


def test_reader_that_goes_while_its_card_is_asked_for(make_sandbox):
    """Nothing of it is used any more, as AddressSanitizer would tell."""
    sandbox = make_sandbox(["piv-card"])
    with Client(sandbox) as client:
        client.subscribe()
        path = only_path(client)
        hosts = sandbox.hosts("watch")
        client.refresh(path)
        stop_pcscd(sandbox)
        wait_until(lambda: client.tokens() == [], what="the card to be gone")
        # What was to happen with it would have happened by now.
        time.sleep(5)
        assert sandbox.hosts("watch") == hosts
        with started_pcscd(sandbox):
            wait_until(lambda: len(client.tokens()) == 1, what="the card")


def limit_processes(sandbox, limit):
    """How many processes the watching host may start."""
    (outside,) = sandbox.hosts("watch")
    (inside,) = (number for number, process in sandbox.processes().items() if process[0] == outside)
    assert sandbox.run("tokend-module", ["prlimit", f"--pid={inside}", f"--nproc={limit}"]).returncode == 0


def test_no_process_can_be_started(make_sandbox):
    """A card that cannot be read for that is not tried over and over; one that is put in afterwards is read."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client, CardUser(sandbox) as user:
        client.subscribe()
        client.wait_labels([token.label])
        token.fault("vanish")
        client.wait_labels([])
        limit_processes(sandbox, "0:")
        token.clear_faults()
        user.wait_present(True)
        # It is tried some times, with a pause between them.
        assert count_wake_ups(sandbox, 5) < 300
        assert client.tokens() == []

        limit_processes(sandbox, "1000:")
        token.fault("vanish")
        user.wait_present(False)
        token.clear_faults()
        client.wait_labels([token.label])


@pytest.mark.parametrize("kind", ["piv-card", "openpgp-card"])
def test_another_programs_wrong_pin(make_sandbox, kind):
    """Told soon; then the card is left alone again, and no more was sent than a look or two at it: OpenSC, which the
    other program uses, connects to a card for a moment, lets go of it, and connects again to use it."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        (path, *_others) = client.tokens()
        look = commands_of_a_look(client, token, path)
        token.fault(REALISTIC)
        token.wrong_pin()
        before = wait_until_left_alone(token)

        begun = time.monotonic()
        token.wrong_pin()
        used = sent_to(token) - before
        ended = time.monotonic()
        client.wait_status(path, {"pin-state": "final-try"}, timeout=SOON)
        # Where the other program takes its time, it is looked at meanwhile.
        looks = 2 + int((ended - begun) / PATIENCE)
        assert wait_until_left_alone(token) - before <= used + looks * look


@pytest.mark.parametrize("kind", ["piv-card", "openpgp-card"])
def test_one_use_one_look(make_sandbox, kind):
    """Where another program connects to the card once, it is looked into once for that, after the use."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client, CardUser(sandbox) as user:
        client.subscribe()
        (path, *_others) = client.tokens()
        look = commands_of_a_look(client, token, path)
        token.fault(REALISTIC)
        before, begun = wait_until_left_alone(token), time.monotonic()
        user.connect("shared")
        used = 2 * user.wrong_pin(kind)
        user.wrong_pin(kind)
        user.do("disconnect")
        ended = time.monotonic()
        client.wait_signal("StatusChanged", lambda signal: signal["path"] == path, timeout=SOON)
        looks = 1 + int((ended - begun) / PATIENCE)
        assert 0 < wait_until_left_alone(token) - before - used <= looks * look


def test_short_uses_one_after_the_other(make_sandbox):
    """Each right after the one before was told: none goes by unseen."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        wait_until_left_alone(token)
        for _ in range(6):
            token.wrong_pin(2)
            client.wait_status(path, {"pin-state": "final-try"})
            token.login(sandbox.pin)
            client.wait_status(path, {"pin-state": "ok"})


def test_program_that_stays_connected(make_sandbox):
    """As a browser does all day: what it does is told soon, for few commands; once it has left, the card is left alone."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        before = wait_until_left_alone(token)
        with CardUser(sandbox) as user:
            user.connect("shared")
            wait_until(lambda: sent_to(token) > before, what="the first look")
            user.wrong_pin()
            user.wrong_pin()
            client.wait_status(path, {"pin-state": "final-try"}, timeout=SOON)
            user.wrong_pin()
            client.wait_status(path, {"pin-state": "locked"}, timeout=SOON)
            # To look at the whole card takes dozens.
            count = sent_to(token)
            time.sleep(5)
            assert 0 < sent_to(token) - count < 20
        wait_until_left_alone(token, timeout=KEPT + TIMEOUT)


@pytest.mark.parametrize("kind, pause", [("piv-card", 0), ("piv-card", 0.2), ("openpgp-card", 0.2)])
def test_program_at_work(make_sandbox, kind, pause):
    """For longer than a card is kept for nothing: it is looked into once, and then asked from time to time. Where the program
    pauses, what it does is told meanwhile."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        path = client.tokens()[0]
        look = commands_of_a_look(client, token, path)
        token.fault(REALISTIC)
        with CardUser(sandbox) as user:
            user.connect("shared")
            before, used, begun = sent_to(token), 0, time.monotonic()
            while time.monotonic() < begun + KEPT + 4 * PATIENCE:
                used += user.work(20, kind)
                time.sleep(pause)
            asked = sent_to(token) - before - used
            assert asked <= look + ASKING[kind] * (time.monotonic() - begun) / PATIENCE
            if pause:
                user.wrong_pin(kind)
                user.wrong_pin(kind)
                client.wait_status(path, {"pin-state": "final-try"}, timeout=SOON)
        wait_until_left_alone(token, timeout=KEPT + TIMEOUT)


@pytest.mark.parametrize("kind", ["piv-card", "openpgp-card"])
@pytest.mark.parametrize("is_watched", [False, True])
def test_status_for_a_person(make_sandbox, kind, is_watched):
    """The card is looked into once, for all its tokens, whether or not somebody watches it."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        look = commands_of_a_look(client, token, client.tokens()[0])
        if not is_watched:
            client.unsubscribe()
        for state, wrong_pins in (("ok", 0), ("final-try", 2), ("final-try", 0)):
            token.wrong_pin(wrong_pins)
            before = wait_until_left_alone(token)
            assert {status["pin-state"] for status in sandbox.status()} == {state}
            assert 0 < wait_until_left_alone(token) - before < 2 * look


def test_card_that_a_program_has_for_itself(make_sandbox):
    """It is not touched. Its token stays, as old as its status is; who wants a new one, or an operation, is told why not."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        before = wait_until_left_alone(token)
        with CardUser(sandbox) as user:
            user.connect("exclusive")

            def is_told():
                try:
                    client.status(path)
                except BusError as error:
                    assert error.name == "Busy", error
                    return True
                return False

            wait_until(is_told, SOON, "the status that cannot be read")
            user.wrong_pin()
            user.wrong_pin()
            with nothing_sent(token), raises("Busy") as errors:
                client.set_pin(path, sandbox.pin, "654321")
            assert "itself" in errors[0].message
            with raises("Busy"):
                client.refresh(path)
            time.sleep(A_WHILE)
            assert client.modules()[0]["state"] == "ready"
            assert client.tokens() == [path]
            assert sent_to(token) == before + 4
            user.do("disconnect")
            client.wait_status(path, {"pin-state": "final-try"}, timeout=SOON)
        assert client.take_signals("InterfacesRemoved") == []
    assert "failed" not in sandbox.journal()


def test_card_that_nobody_watches_any_more(make_sandbox):
    """It is let go of, though it was read just before, so that another program can have it for itself."""
    sandbox = make_sandbox(["piv-card"])
    with Client(sandbox) as client, CardUser(sandbox) as user:
        path = only_path(client)
        client.refresh(path)
        client.unsubscribe()
        wait_until(lambda: user.ask("connect", 0, "exclusive") == "done", 2 * SOON, "the card")


def test_card_in_a_long_transaction(make_sandbox):
    """Nobody else can use it meanwhile: who asks is told so soon, nothing fails, and then all is as ever."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        hosts = sandbox.hosts("watch")
        with CardUser(sandbox) as user:
            user.connect("shared")
            user.do("begin")
            user.wrong_pin()
            user.wrong_pin()
            count = sent_to(token)
            for _ in range(3):
                begun = time.monotonic()
                with nothing_sent(token), raises("Busy"):
                    client.set_pin(path, sandbox.pin, "654321", final_attempt=True)
                assert time.monotonic() - begun < 6
            assert sent_to(token) == count
            assert client.modules()[0]["state"] == "ready"
            assert client.tokens() == [path]
            user.do("end")
            client.wait_status(path, {"pin-state": "final-try"})
            client.set_pin(path, sandbox.pin, "654321", final_attempt=True)
        assert client.take_signals("InterfacesRemoved") == []
        assert sandbox.hosts("watch") == hosts
    assert "failed" not in sandbox.journal()


def test_card_that_cannot_be_read_for_a_moment(make_sandbox):
    """Its token stays, as old as its status is, and who wants a new one is told; then all is as ever."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        wait_until_left_alone(token)
        token.fault("error * * 6F00")
        with raises("ModuleFailed"):
            client.refresh(path)
        assert client.tokens() == [path]
        token.clear_faults()
        assert client.refresh(path)["pin-state"] == "ok"
        assert client.take_signals("InterfacesRemoved") == []


def test_card_that_is_disturbed_for_long(make_sandbox):
    """Its token is given up, and comes back by itself: nobody touches the card."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        wait_until_left_alone(token)
        token.fault("error * * 6F00")
        with raises("ModuleFailed"):
            client.refresh(path)
        client.wait_signal("InterfacesRemoved", timeout=3 * PATIENCE + SOON)
        assert client.tokens() == []
        token.clear_faults()
        client.wait_signal("InterfacesAdded", timeout=GIVEN_UP + SOON)
        (path,) = client.tokens()
        assert pin_state(client, path) == "ok"
        wait_until_left_alone(token, GIVEN_UP + A_WHILE, GIVEN_UP + A_WHILE + TIMEOUT)


def test_what_is_done_once_the_card_was_read(make_sandbox):
    """By a program that was connected before, and leaves at once: it is told, too."""
    sandbox = make_sandbox(["piv-card"])
    with Client(sandbox) as client, CardUser(sandbox) as user:
        path = only_path(client)
        for is_wrong in (True, False) * 3:
            user.connect("shared")
            client.refresh(path)
            if is_wrong:
                user.wrong_pin()
                user.wrong_pin()
            else:
                user.right_pin(sandbox.pin)
            user.do("disconnect")
            client.wait_signal("StatusChanged", timeout=SOON)


def test_read_that_takes_too_long(make_sandbox):
    """Who asks meanwhile is told so, and what it found all the same is told to the subscribers once it has ended."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        wait_until_left_alone(token)
        with CardUser(sandbox) as user:
            user.connect("shared")
            user.wrong_pin()
            user.wrong_pin()
            token.fault("pause VERIFY 1")
            token.wait_paused()
            with raises("Busy"):
                client.refresh(path)
            assert client.modules()[0]["state"] == "ready"
        token.clear_faults()
        client.wait_status(path, {"pin-state": "final-try"}, timeout=SOON)
        wait_until_left_alone(token)
    assert "failed" not in sandbox.journal()


@pytest.mark.parametrize("kind", ["piv-card", "openpgp-card"])
@pytest.mark.parametrize("when", ["", " after"], ids=["before", "after"])
def test_card_that_is_pulled_out_in_the_middle(make_sandbox, kind, when):
    """Said to be that, whatever OpenSC calls it. Whether a try was spent is told by the card's own counter, once it is
    back; until then it counts as spent."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        path = next(path for path in client.tokens() if client.status(path)["label"] == token.label)
        token.fault(f"remove CHANGE-REFERENCE-DATA 1{when}")
        with raises("OutcomeUnknown") as errors:
            client.set_pin(path, "111111", "654321", final_attempt=True)
        assert "removed" in errors[0].message and "ask the status" in errors[0].message
        assert token.counters()["pin"] == (2 if when else 3)
        wait_until(lambda: client.tokens() == [], what="the card to be gone")
        token.clear_faults()
        wait_until(client.tokens, what="the card")
        for path in client.tokens():
            assert pin_state(client, path) in ("low", "ok", "unknown")
