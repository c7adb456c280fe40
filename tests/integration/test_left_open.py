# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an operation opened on the card is closed when it ends: nobody else profits by a code that was sent."""

import glob
import os
import time

import pytest
from card_user import CardUser
from sandbox import wait_until
from support import BusError, Client, only_token, raises

NEW_PIN, WRONG_PIN, WRONG_PUK = "654321", "111111", "11111111"

KINDS = ["openpgp-card", "piv-card", "pkcs15-card", "pkcs15-card:so-pin=yes"]
# The application, and for each of its codes the question whether it is verified
SELECT = {
    "openpgp-card": "00A4040006D27600012401",
    "piv-card": "00A4040009A00000030800001000",
    "pkcs15-card": "00A404000CF276A288BCFBA69D34F31001",
}
ASK = {
    "openpgp-card": ["00200081", "00200082", "00200083"],
    "piv-card": ["00200080"],
    "pkcs15-card": ["00200001", "00200002"],
}
# To a card that describes itself: a new PIN by the security officer's, which must have been verified
SET_PIN = "002C020106313131313131"
SECURITY_OFFICER = "pkcs15-card:so-pin=yes"


def operate(client, path, token, sandbox, what):
    """One of the four; a wrong code is refused."""
    method, code = {
        "unlock": (client.unlock, sandbox.puk),
        "set-pin": (client.set_pin, sandbox.pin),
        "unlock, wrong": (client.unlock, WRONG_PUK),
        "set-pin, wrong": (client.set_pin, WRONG_PIN),
    }[what]
    try:
        status = method(path, code, NEW_PIN, final_attempt=True)
        assert "wrong" not in what and "left-open" not in status
    except BusError as error:
        assert "wrong" in what and error.name in ("PukIncorrect", "PinIncorrect"), error


def assert_closed(user, token):
    """As the card is, and once more after its application was selected."""
    for _ in range(2):
        for command in ASK[token.kind]:
            assert not user.ask("send", command).endswith("9000"), command
        if token.kind == "pkcs15-card":
            assert not user.ask("send", SET_PIN).endswith("9000")
        user.ask("send", SELECT[token.kind])


@pytest.mark.parametrize("what", ["unlock", "set-pin", "unlock, wrong", "set-pin, wrong"])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_stays_open(make_sandbox, kind, what):
    """Another user, whom polkit allows nothing, asks the card itself, and cannot set a PIN."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client, CardUser(sandbox, "bob") as bob:
        client.subscribe()
        operate(client, client.paths_by_label()[token.label], token, sandbox, what)
        bob.connect("shared")
        assert_closed(bob, token)
    assert token.login(sandbox.pin if "wrong" in what else NEW_PIN)


@pytest.mark.parametrize("kind, command", [(SECURITY_OFFICER, "VERIFY"), ("piv-card", "CHANGE-REFERENCE-DATA")])
def test_answer_that_is_lost(make_sandbox, kind, command):
    """The card has taken the code, and the module says that it failed."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client, CardUser(sandbox, "bob") as bob:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        token.fault(f"error {command} 1 6F00 after")
        method, code = (client.set_pin, sandbox.pin) if kind == "piv-card" else (client.unlock, sandbox.puk)
        with raises("Failed"):
            method(path, code, NEW_PIN, final_attempt=True)
        token.clear_faults()
        bob.connect("shared")
        assert_closed(bob, token)


def test_while_others_use_the_card(make_sandbox):
    """They are not disturbed: one that remembers its PIN would send it again. That the card is open is told."""
    sandbox = make_sandbox([SECURITY_OFFICER])
    token = only_token(sandbox)
    with Client(sandbox) as client, CardUser(sandbox, "bob") as bob:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        bob.connect("shared")
        status = client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
        assert status["left-open"] is True
        assert client.status(path)["left-open"] is True
        assert bob.ask("send", "00200002") == "9000"
        codes = {"puk": sandbox.puk, "new": sandbox.pin}
        arguments = ["--puk-fd", "{puk}", "--new-pin-fd", "{new}", "--final-attempt"]
        done = sandbox.tokenctl("alice", "unlock", token.label, *arguments, codes=codes)
        assert done.returncode == 0
        assert "The new PIN is set." in done.stdout + done.stderr
        assert "It is not certain that the card was closed" in done.stdout + done.stderr
        bob.do("disconnect")
    assert "may take a code for verified still that" in sandbox.journal()
    assert token.counters() == {"pin": 3, "puk": 5}
    assert token.login(sandbox.pin)


def test_watching_hosts_of_ours(make_sandbox):
    """They are no other program: that of a module that is polled is connected to the card as long as it lives, and is shown
    again after that."""
    sandbox = make_sandbox([SECURITY_OFFICER], modules={"second": glob.glob("/usr/lib/*/opensc-pkcs11.so")[0]})
    token = only_token(sandbox)
    with Client(sandbox) as client, CardUser(sandbox, "bob") as bob:
        client.subscribe()
        paths = {client.status(path)["module"]: path for path in client.tokens()}
        assert paths.keys() == {"opensc", "second"}
        for module, new_pin in ("opensc", NEW_PIN), ("second", sandbox.pin):
            assert "left-open" not in client.unlock(paths[module], sandbox.puk, new_pin, final_attempt=True)
            bob.connect("shared")
            assert_closed(bob, token)
            bob.do("disconnect")
            assert all(client.refresh(path)["label"] == token.label for path in paths.values())
    assert token.login(sandbox.pin)


def is_kept(sandbox, seen):
    """Whether a process of ours that has read the card stays there for longer than a read takes. seen: when each was first."""
    now = time.monotonic()
    reading = [number for number, (*_, arguments) in sandbox.processes().items() if arguments[1:] == ["--read"]]
    return any(now - seen.setdefault(number, now) > 3 for number in reading)


def test_host_that_keeps_a_card(make_sandbox):
    """Nor is the one that has kept a card which others have used for long, and use no more."""
    sandbox = make_sandbox([SECURITY_OFFICER])
    token = only_token(sandbox)
    with Client(sandbox) as client, CardUser(sandbox, "bob") as bob:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        bob.connect("shared")
        seen = {}
        wait_until(lambda: is_kept(sandbox, seen), what="a card that is kept")
        bob.do("disconnect")
        assert "left-open" not in client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
        bob.connect("shared")
        assert_closed(bob, token)


def test_told_after_an_error(make_sandbox):
    """Whatever became of the code; until the card leaves."""
    sandbox = make_sandbox([SECURITY_OFFICER])
    token = only_token(sandbox)
    with Client(sandbox) as client, CardUser(sandbox, "bob") as bob:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        bob.connect("shared")
        token.fault("error VERIFY 1 6F00 after")
        codes = {"puk": sandbox.puk, "new": NEW_PIN}
        arguments = ["--puk-fd", "{puk}", "--new-pin-fd", "{new}", "--final-attempt"]
        failed = sandbox.tokenctl("alice", "unlock", token.label, *arguments, codes=codes)
        assert failed.returncode != 0
        assert "It is not certain that the card was closed" in failed.stderr
        token.clear_faults()
        assert client.status(path)["left-open"] is True
        assert "It is not certain that the card was closed" in sandbox.tokenctl("alice", "status").stdout
        assert "Kartın kapandığı kesin değil" in sandbox.tokenctl("alice", "status", env={"LANGUAGE": "tr"}).stdout
        bob.do("disconnect")
        bob.put_in_again(token)
        path = client.wait_labels([token.label])[token.label]
        assert "left-open" not in client.status(path)
        assert "It is not certain" not in sandbox.tokenctl("alice", "status").stdout


def test_told_until_an_operation_has_closed_it(make_sandbox):
    sandbox = make_sandbox([SECURITY_OFFICER])
    token = only_token(sandbox)
    with Client(sandbox) as client, CardUser(sandbox, "bob") as bob:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        bob.connect("shared")
        assert client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)["left-open"] is True
        client.take_signals("StatusChanged")
        bob.do("disconnect")
        assert "left-open" not in client.unlock(path, sandbox.puk, sandbox.pin, final_attempt=True)
        assert "left-open" not in client.wait_status(path, {})


@pytest.mark.without_sanitizer
def test_module_that_stalls(sandbox):
    """The new PIN is set, and is said to be: nobody waits for long for what comes after it. Until the host has closed the token
    nobody else operates on it."""
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        token.fault("pause C_Logout operate")
        status = client.unlock(path, sandbox.puk, NEW_PIN)
        token.wait_paused("C_Logout")
        assert status["left-open"] is True and status["pin-state"] == "ok"
        assert "Unlock of “ETOKEN” by user 61000: done" in sandbox.journal()
        with raises("Busy"):
            client.set_pin(path, NEW_PIN, sandbox.pin)
        token.clear_faults()
        wait_until(lambda: not sandbox.hosts("operate"), what="the end of the operating host")
        assert "left-open" not in client.unlock(path, sandbox.puk, sandbox.pin)
    assert token.login(sandbox.pin)


def test_module_that_crashes(sandbox):
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        token.fault("crash C_Logout operate")
        assert client.unlock(path, sandbox.puk, NEW_PIN)["left-open"] is True
        token.clear_faults()
        assert "left-open" not in client.set_pin(path, NEW_PIN, sandbox.pin)
    assert token.login(sandbox.pin)


def test_a_card_that_stays_open_without_us(make_sandbox):
    """Such a card is open until it is reset, as the stand-in for it shows."""
    sandbox = make_sandbox([SECURITY_OFFICER])
    token = only_token(sandbox)
    with CardUser(sandbox) as user:
        user.connect("shared")
        assert token.login_so(sandbox.puk)
        user.ask("send", SELECT[token.kind])
        assert user.ask("send", SET_PIN) == "9000"


def is_logged_out_or_told(client, path, token, before):
    return "C_Logout" in token.calls()[before:] or client.status(path).get("left-open") is True


@pytest.mark.parametrize("result", ["CKR_DEVICE_REMOVED", "CKR_SESSION_HANDLE_INVALID", "CKR_TOKEN_NOT_RECOGNIZED"])
def test_a_token_that_is_gone_by_word_alone(sandbox, result):
    """C_Login took the PUK, and C_InitPIN says that the token is gone, which stays in its slot."""
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        before = len(token.calls())
        token.fault(f"error C_InitPIN 1 {result} after operate")
        with raises("OutcomeUnknown"):
            client.unlock(path, sandbox.puk, "4321")
        token.clear_faults()
        assert "C_InitPIN" in token.calls()[before:]
        assert client.wait_labels([token.label])[token.label] == path
        assert is_logged_out_or_told(client, path, token, before)


@pytest.mark.parametrize("result", ["CKR_SESSION_HANDLE_INVALID", "CKR_DEVICE_REMOVED"])
def test_a_logout_that_says_gone(sandbox, result):
    """Likewise; nothing was closed."""
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        token.fault(f"error C_Logout 1 {result} operate")
        assert client.unlock(path, sandbox.puk, "4321").get("left-open") is True


def test_a_login_whose_answer_is_lost(sandbox):
    """The token may have taken the PUK."""
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        before = len(token.calls())
        token.fault("error C_Login 1 CKR_DEVICE_ERROR after operate")
        with raises("Failed"):
            client.unlock(path, sandbox.puk, "4321")
        token.clear_faults()
        assert is_logged_out_or_told(client, path, token, before)


def test_a_module_that_is_removed_meanwhile(sandbox):
    """Finish's own status tells it, wherever the token is by then."""
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        token.fault("pause C_InitPIN operate", "crash C_Logout operate")
        unlocking = client.begin_operation("Unlock", path, sandbox.puk, "4321")
        token.wait_paused()
        os.unlink(sandbox.path("/usr/share/p11-kit/modules/etoken.module"))
        client.wait_labels([])
        token.fault("crash C_Logout operate")
        assert client.finish(unlocking).get("left-open") is True


def test_two_cards_without_a_serial_number(make_sandbox):
    """What closes the second says nothing of the first."""
    sandbox = make_sandbox(["etoken:serial=", "etoken:serial=,label=SECOND"])
    first = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.wait_labels(["ETOKEN", "SECOND"])
        first.fault("crash C_Logout operate")
        assert client.unlock(paths["ETOKEN"], sandbox.puk, "4321", final_attempt=True)["left-open"] is True
        first.clear_faults()
        assert "left-open" not in client.unlock(paths["SECOND"], sandbox.puk, "4321", final_attempt=True)
        assert client.status(paths["ETOKEN"]).get("left-open") is True
