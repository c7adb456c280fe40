# SPDX-License-Identifier: LGPL-2.1-or-later
"""What cannot be read is told, and no code goes to another token instead: pcscd that is not there, or refuses; a card that no
module makes a token of. With the real pcscd and OpenSC."""

import contextlib
import os
import select
import subprocess
import time

import pytest
from card_user import CardUser
from sandbox import PYTHON, TIMEOUT, count_switches, count_switches_since, wait_until
from support import Client, nothing_sent, raises
from test_readers import StrangeCard, started_pcscd, stop_pcscd, wait_for_card
from test_tokenctl import BUSY, DONE, FAILED, NO_SUCH_TOKEN, REFUSED, expect_doubt, set_pin, unlock

NEW_PIN = "87654321"
NOT_RUNNING = "pcscd, by which cards are reached, is not running: an administrator can start pcscd.socket"
REFUSES = (
    "pcscd, by which cards are reached, refuses: a polkit rule must allow org.debian.pcsc-lite.access_pcsc to the user "
    "tokend-module"
)
TURKISH = {"LANGUAGE": "tr"}
SECOND_READER = "Virtual PCD 00 01"
# After so long, what is tried again ever more seldom is next tried in more than SOON. In seconds.
LONG = 17
SOON = 5
SOCKET = "/run/pcscd/pcscd.comm"
# Length and command, and then the version and an answer's place, 4 bytes each
FIRST_MESSAGE = 20
# pcscd where polkit says no: once it knows that, by when the whole of the first message has come, it closes the connection
# without a look at it.
REFUSING = f"""
import os, socket
server = socket.socket(socket.AF_UNIX)
os.path.exists("{SOCKET}") and os.unlink("{SOCKET}")
server.bind("{SOCKET}")
os.chmod("{SOCKET}", 0o666)
server.listen()
while True:
    print("serving", flush=True)
    connection = server.accept()[0]
    while len(connection.recv({FIRST_MESSAGE}, socket.MSG_PEEK)) < {FIRST_MESSAGE}:
        pass
    connection.close()
"""


def reasons(client):
    return {module["name"]: module.get("reason") for module in client.modules()}


def unknown_cards(client):
    """The readers that they are in."""
    return next(module for module in client.modules() if module["name"] == "opensc").get("unknown-cards")


def check_that_nobody_guesses(sandbox, token, reason):
    """No token but one that is named for certain is operated on, and it is said why."""
    with nothing_sent(token):
        for words in ([], [token.label]):
            finished = unlock(sandbox, *words)
            assert finished.returncode == REFUSED, finished
            assert "“tokenctl status” shows what could not be read" in finished.stderr
        expect_doubt_about(sandbox, "unlock")
        expect_doubt_about(sandbox, "unlock", token.label[:3])
        with sandbox.terminal("alice", ["tokenctl", "unlock", token.label]) as terminal:
            terminal.expect("PUK: $")
        finished = unlock(sandbox, "ANOTHER")
        assert finished.returncode == FAILED and reason in finished.stderr, finished
    shown = sandbox.tokenctl("alice", "status")
    assert (shown.returncode, token.label in shown.stdout) == (DONE, True)
    assert shown.stderr == (
        f"The module “opensc” could not be read; a token that only it would show is not listed here. The reason: {reason}.\n"
    )
    shown = sandbox.tokenctl("alice", "status", env=TURKISH).stderr
    assert shown.startswith("“opensc” modülü okunamadı") and "Kartlara erişmeyi sağlayan pcscd" in shown
    assert sandbox.tokenctl("alice", "status", "--json").stderr == ""
    assert unlock(sandbox, token.serial).returncode == DONE


def expect_doubt_about(sandbox, *arguments):
    with sandbox.terminal("alice", ["tokenctl", *arguments]) as terminal:
        terminal.expect("Nothing was sent; no try was spent. “tokenctl status” shows what could not be read.")
        assert terminal.finish() == REFUSED
    assert "Token: " not in terminal.text


@contextlib.contextmanager
def refusing_pcscd(sandbox):
    """Gives a function that tells how many connections it has closed."""
    program = [PYTHON, "-u", "-c", REFUSING]
    daemon = sandbox.popen("root", program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    log = []

    def refused():
        while select.select([daemon.stdout], [], [], 0)[0]:
            log.append(os.read(daemon.stdout.fileno(), 4096))
        return b"".join(log).count(b"serving") - 1

    try:
        wait_until(lambda: refused() == 0, what="the socket")
        yield refused
    finally:
        daemon.kill()
        daemon.wait(TIMEOUT)
        daemon.stdout.close()


def test_pcscd_that_is_not_running(make_sandbox):
    """What is in its readers may be meant, until it is there again."""
    sandbox = make_sandbox(["piv-card", "etoken:serial=0001"])
    card, token = sandbox.token("piv-card"), sandbox.token("etoken")
    stop_pcscd(sandbox)
    check_that_nobody_guesses(sandbox, token, NOT_RUNNING)
    with Client(sandbox) as client:
        client.subscribe()
        assert reasons(client) == {"opensc": NOT_RUNNING, "etoken": None}
        with started_pcscd(sandbox):
            client.wait_labels([card.label, token.label])
            assert reasons(client) == {"opensc": None, "etoken": None}


def test_pcscd_that_refuses(make_sandbox):
    """As where polkit does not let it in."""
    sandbox = make_sandbox(["piv-card", "etoken:serial=0001"])
    stop_pcscd(sandbox)
    with refusing_pcscd(sandbox):
        check_that_nobody_guesses(sandbox, sandbox.token("etoken"), REFUSES)


@pytest.mark.parametrize("refuses", [False, True], ids=["absent", "refuses"])
def test_pcscd_that_is_not_reached_is_not_hurried(make_sandbox, refuses):
    """It is tried ever more seldom, and seen at once when it starts all the same."""
    sandbox = make_sandbox(["piv-card"])
    token = sandbox.token("piv-card")
    stop_pcscd(sandbox)
    with Client(sandbox) as client, contextlib.ExitStack() as stack:
        if refuses:
            refused = stack.enter_context(refusing_pcscd(sandbox))
        client.subscribe()
        (host,) = sandbox.hosts("watch")
        before = count_switches(host)
        time.sleep(LONG)
        assert count_switches_since(before, host) < 100
        if refuses:
            assert 3 < refused() < 12
        stack.enter_context(started_pcscd(sandbox))
        wait_for_card(sandbox)
        begun = time.monotonic()
        client.wait_labels([token.label])
        assert time.monotonic() - begun < SOON


def test_no_token_is_not_what_is_said(make_sandbox):
    """Where none can be read: neither by status, nor by an operation."""
    sandbox = make_sandbox(["piv-card"])
    stop_pcscd(sandbox)
    for shown in (sandbox.tokenctl("alice", "status"), sandbox.tokenctl("alice", "status", "--json"), unlock(sandbox)):
        assert shown.returncode == FAILED, shown
        assert NOT_RUNNING in shown.stderr and "No token" not in shown.stderr
        assert shown.stdout in ("", "[]\n")


def test_card_that_no_module_makes_a_token_of(make_sandbox):
    """Its code may be what a script has; a person sees which token it is."""
    sandbox = make_sandbox(["piv-card", "etoken:serial=0001"])
    card, token = sandbox.token("piv-card"), sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        client.wait_labels([card.label, token.label])
        card.fault("vanish")
        client.wait_labels([token.label])
        wait_until(lambda: reasons(client)["opensc"] is None, what="its reader to be empty")
        with StrangeCard(sandbox, 1):
            wait_until(lambda: unknown_cards(client) == [SECOND_READER], what="the card")
            assert reasons(client)["opensc"] == "No module makes a token of a card"
            with nothing_sent(token):
                for words in ([], [token.label]):
                    finished = unlock(sandbox, *words)
                    assert finished.returncode == REFUSED, finished
                    assert f"a card in the reader “{SECOND_READER}” that no module makes a token of" in finished.stderr
                assert unlock(sandbox, "ANOTHER").returncode == NO_SUCH_TOKEN
                with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
                    terminal.expect("PUK: $")
            shown = sandbox.tokenctl("alice", "status")
            assert shown.returncode == DONE and token.label in shown.stdout
            assert shown.stderr == f"There is a card in the reader “{SECOND_READER}” that no module makes a token of.\n"
            shown = sandbox.tokenctl("alice", "status", env=TURKISH)
            assert f"“{SECOND_READER}” okuyucusunda hiçbir modülün" in shown.stderr
            assert unlock(sandbox, token.serial).returncode == DONE
            token.fault("vanish")
            client.wait_labels([])
            shown = sandbox.tokenctl("alice", "status")
            assert (shown.returncode, "No token" in shown.stderr) == (FAILED, False), shown
            assert SECOND_READER in shown.stderr
            token.clear_faults()
            client.wait_labels([token.label])
        wait_until(lambda: set(reasons(client).values()) == {None}, what="the card to be gone")
        assert unlock(sandbox, puk=sandbox.puk, new=NEW_PIN).returncode == DONE


def test_card_that_another_module_makes_a_token_of(make_sandbox):
    """One of them does, so it is no unknown card."""
    sandbox = make_sandbox(["piv-card", "etoken:serial=0001", f"alias:reader={SECOND_READER}"])
    with Client(sandbox) as client, StrangeCard(sandbox, 1) as card:
        client.subscribe()
        wait_until(lambda: len(card.calls()) > 1, what="a look at the card")
        wait_until(lambda: set(reasons(client).values()) == {None}, what="the end of the look")
        assert set_pin(sandbox, "ETOKEN", pin="1234", new=NEW_PIN).returncode == DONE


def test_card_that_was_given_up(make_sandbox):
    """A token was known on it: it may be meant, whoever asks."""
    sandbox = make_sandbox(["piv-card", "etoken:serial=0001"])
    card, token = sandbox.token("piv-card"), sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.wait_labels([card.label, token.label])
        card.fault("error * * 6F00")
        with raises("ModuleFailed"):
            client.refresh(paths[card.label])
        client.wait_labels([token.label])
        with nothing_sent(token):
            assert set_pin(sandbox, pin="1234").returncode == REFUSED
            expect_doubt(sandbox, "set-pin", "ETO")
        assert reasons(client)["opensc"] == "A card could not be read yet"


def test_card_that_another_program_has_had_all_the_time(make_sandbox):
    """It may be any token, and is busy."""
    sandbox = make_sandbox(["piv-card"])
    with CardUser(sandbox) as user:
        sandbox.stop_tokend()
        wait_until(lambda: user.ask("connect", 0, "exclusive") == "done", what="the card to be free")
        sandbox.start_tokend()
        for shown in (sandbox.tokenctl("alice", "status"), unlock(sandbox)):
            assert (shown.returncode, "another program is using the token" in shown.stderr) == (BUSY, True), shown
            assert "No token" not in shown.stderr
        with Client(sandbox) as client:
            client.subscribe()
            assert reasons(client) == {"opensc": "Another program is using a card and does not let go of it"}
