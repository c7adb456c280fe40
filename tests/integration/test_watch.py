# SPDX-License-Identifier: LGPL-2.1-or-later
"""The watch costs nothing that it need not: tokens that tell of themselves are not polled, and who is not needed leaves."""

import contextlib
import glob
import subprocess
import time

import pytest
from sandbox import TIMEOUT, count_switches, count_switches_since, wait_until, wait_until_asleep
from support import WRONG_PUKS, Client, check, only_path, only_token, raises, tries

(OPENSC,) = glob.glob("/usr/lib/*/opensc-pkcs11.so")
NEW_PIN = "4321"
# The service leaves when nobody has needed it for so long.
IDLE = 30
TOLERANCE = 15


def polls(token):
    return token.calls("tokend-module").count("C_GetSlotList")


def start_with_slow_clock(sandbox):
    """Starts tokend again, with a clock by which a second takes a quarter of an hour: it polls nothing."""
    (library,) = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    sandbox.restart_tokend({"LD_PRELOAD": library, "FAKETIME": "+0 x0.001"})


@pytest.mark.without_sanitizer
def test_token_tells_of_itself(make_sandbox):
    """Where the module can wait, a token is seen when it is put in, and not by a poll."""
    sandbox = make_sandbox(["etoken:slot-events=yes"])
    token = only_token(sandbox)
    token.fault("vanish")
    start_with_slow_clock(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        assert client.tokens() == []
        token.clear_faults()
        client.wait_signal("InterfacesAdded")
        check(client.status(only_path(client)), tries("pin", "ok", 3, "token"))


def test_token_is_not_polled_for_its_coming(make_sandbox):
    """Where the module can wait, an empty reader is looked at every 10 s at most; with a token in it, its counters are
    polled."""
    sandbox = make_sandbox(["etoken:slot-events=yes"])
    token = only_token(sandbox)
    token.fault("vanish")
    sandbox.stop_tokend()
    sandbox.start_tokend()
    with Client(sandbox) as client:
        client.subscribe()
        assert client.tokens() == []
        (watching,) = sandbox.hosts("watch")
        wait_until_asleep([sandbox.tokend(), watching])

        token.clear_faults()
        client.wait_signal("InterfacesAdded")
        (path,) = client.tokens()
        check(client.status(path), tries("pin", "ok", 3, "token"))
        # The next wait is under way with the second poll.
        token.wrong_pin()
        client.wait_status(path, tries("pin", "low", 2, "token"))
        seen = polls(token)
        wait_until(lambda: polls(token) > seen + 4, what="two more polls")
        token.fault("vanish")
        client.wait_signal("InterfacesRemoved")
        wait_until_asleep([sandbox.tokend(), watching])


def test_nobody_is_told_nobody_reads(make_sandbox):
    """An event that nobody waits for any more is not read; who subscribes again sees what came of it."""
    sandbox = make_sandbox(["etoken:slot-events=yes"])
    token = only_token(sandbox)
    token.fault("vanish")
    sandbox.stop_tokend()
    sandbox.start_tokend()
    with Client(sandbox) as client:
        client.subscribe()
        (watching,) = sandbox.hosts("watch")
        wait_until_asleep([sandbox.tokend(), watching])
        client.unsubscribe()
        before = polls(token)
        token.clear_faults()
        wait_until(lambda: token.results("C_WaitForSlotEvent") == ["CKR_NO_EVENT", "CKR_OK"], what="the event")
        wait_until_asleep([sandbox.tokend(), watching])
        assert polls(token) == before
        client.subscribe()
        assert len(client.tokens()) == 1


@pytest.mark.parametrize("result", ["CKR_OK", "CKR_DEVICE_ERROR", "CKR_FUNCTION_NOT_SUPPORTED"])
def test_module_that_does_not_wait_is_polled(make_sandbox, result):
    """One that answers at once, with whatever, is asked no more often than it is polled; one that cannot, once. Before the
    first time all of them are asked without waiting."""
    sandbox = make_sandbox(["etoken:slot-events=yes"])
    token = only_token(sandbox)
    token.fault(f"error C_WaitForSlotEvent * {result}", "vanish")
    with Client(sandbox) as client:
        client.subscribe()
        begun = time.monotonic()
        before = polls(token)
        wait_until(lambda: polls(token) > before + 6, what="polls")
        asked = len(token.results("C_WaitForSlotEvent"))
        assert asked <= time.monotonic() - begun + 3
        assert asked == 2 or result != "CKR_FUNCTION_NOT_SUPPORTED"
        token.fault(f"error C_WaitForSlotEvent * {result}")
        client.wait_signal("InterfacesAdded")


def test_module_that_does_nothing_else_while_it_waits(make_sandbox):
    """It costs one deadline; from then on it is polled, and its token is served like any other."""
    sandbox = make_sandbox(["etoken:slot-events=alone"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        wait_until(lambda: "not asked to wait" in sandbox.journal(), what="the service's notice")
        wait_until(lambda: client.modules()[0]["state"] == "ready", what="the module again")
        token.wrong_pin()
        client.wait_status(path, tries("pin", "low", 2, "token"))
        client.unlock(path, sandbox.puk, NEW_PIN)
        assert token.counters() == {"pin": 3, "puk": 3}
        assert len(token.results("C_WaitForSlotEvent")) <= 1
        # The host that still waits is not left behind: what it holds could be in the way of every other.
        wait_until(lambda: len(sandbox.hosts("watch")) == 1, what="the end of the first host")
    assert token.sign(NEW_PIN)


@contextlib.contextmanager
def pcscd(sandbox):
    """The real one, without a reader."""
    daemon = sandbox.popen("root", ["pcscd", "--foreground"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        daemon.terminate()
        daemon.wait(TIMEOUT)


def test_opensc_waits_for_cards_where_pcscd_is(make_sandbox):
    """Someone else's module that can wait, but only while pcscd runs: else that is looked for, also after it went away."""
    sandbox = make_sandbox(tokens=[], modules={"opensc": OPENSC})
    sandbox.run("root", ["mkdir", "/run/pcscd"])
    with Client(sandbox) as client:
        client.subscribe()
        (watching,) = sandbox.hosts("watch")
        for _ in range(2):
            with pcscd(sandbox):
                wait_until_asleep([sandbox.tokend(), watching])
            before = count_switches(watching)
            wait_until(lambda before=before: count_switches_since(before, watching) > 2, what="looks for it")
        assert client.modules()[0]["state"] == "ready"


def restart_to_leave(sandbox):
    """Starts tokend again, so that it may leave, as it does on a real system."""
    sandbox.stop_tokend()
    sandbox.start_tokend("--may-leave")


def wait_for_leave(sandbox):
    """Waits until tokend has ended, with its hosts; returns how long that took, in seconds."""
    begun = time.monotonic()
    wait_until(lambda: sandbox.tokend() is None, IDLE + TOLERANCE, "the service's leave")
    wait_until(lambda: not sandbox.hosts(), what="its hosts' end")
    return time.monotonic() - begun


@pytest.mark.long
def test_service_leaves_when_nobody_needs_it(sandbox):
    """After 30 s without a use, and what asks only who is there is one."""
    restart_to_leave(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        client.unsubscribe()
        time.sleep(IDLE / 2)
        assert client.tokens() == [path]
        assert wait_for_leave(sandbox) > IDLE - 1


@pytest.mark.long
def test_service_stays_while_it_is_needed(make_sandbox):
    """Somebody is subscribed, or it knows a code that the token refused: then it stays, and leaves once that is over."""
    subscribed, refused = make_sandbox(), make_sandbox()
    restart_to_leave(subscribed)
    restart_to_leave(refused)
    with Client(subscribed) as client, Client(refused) as forgetful:
        watched, wronged = only_path(client), only_path(forgetful)
        with raises("PukIncorrect"):
            forgetful.unlock(wronged, WRONG_PUKS[0], NEW_PIN)
        forgetful.unsubscribe()
        time.sleep(IDLE + 5)
        check(client.status(watched), tries("puk", "ok", 3, "token"))
        with raises("AlreadyRefused"):
            forgetful.unlock(wronged, WRONG_PUKS[0], NEW_PIN)
        forgetful.unlock(wronged, refused.puk, NEW_PIN)
        client.unsubscribe()
        for sandbox in (subscribed, refused):
            wait_for_leave(sandbox)
    assert only_token(refused).sign(NEW_PIN)
