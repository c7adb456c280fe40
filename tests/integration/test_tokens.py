# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which token is which: two views of one, two of one name, a hostile name, and tokens that leave."""

import json
import re
import unicodedata

import pytest
from support import Client, ETOKEN, WRONG_PUKS, check, nothing_sent, raises, record, sent, tries

NEW_PIN = "4321"
UNLOCK = ["unlock", "--puk-fd", "{puk}", "--new-pin-fd", "{new}"]

# Colour, bidirectional override, markup, a byte that is not UTF-8, a line end, a bell, a shell's characters.
HOSTILE_SETTING = r"\033[31m\342\200\256<b>&\377\012\007'$(id)"
HOSTILE_SHOWN = "\ufffd[31m\ufffd<b>&\ufffd\ufffd\ufffd'$(id)"


def unlock_by_tokenctl(sandbox, *token, puk=None, new=NEW_PIN):
    return sandbox.tokenctl("alice", *UNLOCK, *token, codes={"puk": puk or sandbox.puk, "new": new})


def is_printable(text):
    return not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") for character in text)


def test_two_modules_show_one_token(make_sandbox):
    """Both are listed; operations, refused codes and the record of tries are the physical token's."""
    sandbox = make_sandbox(modules={"again": ETOKEN})
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        one, other = client.tokens()
        assert {client.status(path)["module"] for path in (one, other)} == {"etoken", "again"}
        assert client.status(one)["serial"] == client.status(other)["serial"] == token.serial

        token.fault("pause C_OpenSession operate")
        unlocking = client.begin_operation("Unlock", one, sandbox.puk, NEW_PIN)
        token.wait_paused()
        with nothing_sent(token):
            for path in (one, other):
                with raises("Busy"):
                    client.unlock(path, sandbox.puk, "9999")
                with raises("Busy"):
                    client.set_pin(path, sandbox.pin, "9999")
        token.clear_faults()
        check(client.finish(unlocking), tries("pin", "ok", 3, "token"))
        assert sent(token) == ["C_Login", "C_InitPIN"]

        with raises("PukIncorrect"):
            client.unlock(one, WRONG_PUKS[0], NEW_PIN)
        with nothing_sent(token), raises("AlreadyRefused"):
            client.unlock(other, WRONG_PUKS[0], NEW_PIN)
        check(client.status(other), tries("puk", "low", 2, "token"))

    finished = unlock_by_tokenctl(sandbox, new="7777")
    assert finished.returncode == 0, finished.stderr
    assert token.counters() == {"pin": 3, "puk": 3}
    assert token.sign("7777")
    assert sorted(status["module"] for status in sandbox.status()) == ["again", "etoken"]


def test_two_modules_share_the_record_of_tries(make_sandbox):
    """What was spent through one module lowers what the other says, where the token shows nothing."""
    sandbox = make_sandbox(modules={"again": ETOKEN})
    token = sandbox.token("etoken")
    token.fault("no-so-flags", "no-vendor-objects")
    with Client(sandbox) as client:
        client.subscribe()
        one, other = client.tokens()
        with raises("PukIncorrect"):
            client.unlock(one, WRONG_PUKS[0], NEW_PIN, final_attempt=True)
        with raises("PukIncorrect"):
            client.unlock(other, WRONG_PUKS[1], NEW_PIN, final_attempt=True)
        for path in (one, other):
            check(client.status(path), tries("puk", "unknown"), record("puk", 2))
            check(client.refresh(path), tries("puk", "unknown"), record("puk", 2))
    assert token.counters() == {"pin": 3, "puk": 1}


def test_two_tokens_with_one_label(make_sandbox):
    """tokenctl asks for the serial; each token is unlocked by its own, and the other one is left alone."""
    sandbox = make_sandbox(["etoken:label=SAME", "etoken:label=SAME"])
    first, second = sandbox.token("etoken"), sandbox.token("etoken2")
    assert first.serial != second.serial
    # The start of a name is for a person, who is shown the whole of it.
    for name, returncode in (([], 2), (["SAME"], 2), (["SA"], 4), ([first.serial[:4]], 4)):
        with nothing_sent(first), nothing_sent(second):
            finished = unlock_by_tokenctl(sandbox, *name)
        assert finished.returncode == returncode
        assert first.serial in finished.stderr and second.serial in finished.stderr

    for token, other, new in ((first, second, NEW_PIN), (second, first, "7777")):
        token.wrong_pin(3)
        with nothing_sent(other):
            finished = unlock_by_tokenctl(sandbox, token.serial, puk=WRONG_PUKS[0])
            assert finished.returncode == 5
            assert token.counters() == {"pin": 0, "puk": 2}
            finished = unlock_by_tokenctl(sandbox, token.serial, new=new)
            assert finished.returncode == 0, finished.stderr
        assert token.counters() == {"pin": 3, "puk": 3}
        assert token.sign(new)
    assert sandbox.status(token=second.serial)["serial"] == second.serial


def test_hostile_label(make_sandbox):
    """It is printable text on the bus and on a terminal, the token is found by it, and unlocking works."""
    sandbox = make_sandbox([f"etoken:label={HOSTILE_SETTING}"])
    token = sandbox.token("etoken")
    token.wrong_pin(3)
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        assert client.status(path)["label"] == HOSTILE_SHOWN
        assert is_printable("".join(str(value) for value in client.status(path).values()))

    with sandbox.recorded_bus() as recorded:
        shown = [sandbox.tokenctl("alice", *words) for words in (["status"], ["status", "--json"], ["unlock", "?"])]
        finished = unlock_by_tokenctl(sandbox, HOSTILE_SHOWN)
        traffic = recorded()
    assert finished.returncode == 0, finished.stderr
    assert HOSTILE_SHOWN.encode() in traffic
    for hostile in (b"\x1b[31m", "\u202e".encode(), b"&\xff", b"\x07'$"):
        assert hostile not in traffic
    assert json.loads(shown[1].stdout)[0]["label"] == HOSTILE_SHOWN
    with sandbox.terminal("alice", ["tokenctl", "status"], env={"NO_COLOR": "1"}) as terminal:
        assert terminal.finish() == 0
    assert HOSTILE_SHOWN in terminal.text
    for text in [terminal.text] + [run.stdout + run.stderr for run in shown + [finished]]:
        assert is_printable(text.replace("\n", ""))
    assert token.counters() == {"pin": 3, "puk": 3}
    assert token.sign(NEW_PIN)
    # Nor may it forge a line of the journal, or move the cursor of who reads it.
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", sandbox.journal())


def test_token_that_leaves_and_comes_back(sandbox):
    """Off the bus for a subscriber, an error for who asks, and back."""
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        token.fault("vanish")
        client.wait_signal("InterfacesRemoved", lambda signal: signal["arguments"][0] == path)
        assert client.tokens() == []
        for ask in (client.status, client.refresh):
            with raises("NotFound"):
                ask(path)
        for operate, code in ((client.unlock, sandbox.puk), (client.set_pin, sandbox.pin)):
            with raises("NotFound"):
                operate(path, code, NEW_PIN)
        finished = unlock_by_tokenctl(sandbox)
        assert finished.returncode == 4

        token.clear_faults()
        added = client.wait_signal("InterfacesAdded")
        assert added["arguments"][1] == {"org.tokend.Tokend1.Token": {}}
        (path,) = client.tokens()
        check(client.status(path), tries("pin", "ok", 3, "token"))
        assert sent(token) == []

        # With nobody subscribed it is found out by asking.
        client.unsubscribe()
        token.fault("vanish")
        with raises("NotFound"):
            client.status(path)
        assert client.tokens() == []


def test_a_path_that_never_was(sandbox):
    """It is answered as one of a token that has left; what is no method of a token's is none there either."""
    path = "/org/tokend/Tokend1/tokens/1"
    with Client(sandbox, "bob") as client:
        for operate, code in ((client.unlock, sandbox.puk), (client.set_pin, sandbox.pin)):
            with raises("NotFound"):
                operate(path, code, NEW_PIN)
        for ask in (client.status, client.refresh):
            with raises("NotFound"):
                ask(path)
            for other in ("/org/tokend/Tokend1/tokens", f"{path}/2", "/org/tokend"):
                with raises("org.freedesktop.DBus.Error.UnknownMethod"):
                    ask(other)
        (there,) = client.tokens()
        listed = client.call("Introspect", "/org/tokend/Tokend1/tokens", "org.freedesktop.DBus.Introspectable")
        assert re.findall(r'<node name="([^"]*)"', listed) == [there.rpartition("/")[2]]


@pytest.mark.parametrize(
    "fault,left", [("vanish", 3), ("error C_Login * CKR_DEVICE_REMOVED after", 2)], ids=["unspent", "spent"]
)
def test_token_that_leaves_in_the_middle(sandbox, fault, left):
    """OutcomeUnknown, and afterwards the status says what the token says, whether the try was spent or not."""
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        token.fault("pause C_Login")
        unlocking = client.begin_operation("Unlock", path, WRONG_PUKS[0], NEW_PIN)
        token.wait_paused()
        token.fault(fault)
        with raises("OutcomeUnknown"):
            client.finish(unlocking)
        if fault == "vanish":
            with raises("NotFound"):
                client.refresh(path)
        assert token.counters() == {"pin": 3, "puk": left}
        token.clear_faults()
        if fault == "vanish":
            client.wait_signal("InterfacesAdded")
        (path,) = client.tokens()
        wanted = tries("puk", "ok" if left == 3 else "low", left, "token")
        check(client.refresh(path), wanted)
        check(client.status(path), wanted)
        client.unlock(path, sandbox.puk, NEW_PIN)
    assert token.sign(NEW_PIN)


def test_try_lost_without_a_trace(make_sandbox):
    """A token that leaves in the middle and shows no counter: the try counts as spent, by our own record."""
    sandbox = make_sandbox()
    token = sandbox.token("etoken")
    token.fault("no-so-flags", "no-vendor-objects")
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        lost = "error C_Login * CKR_DEVICE_REMOVED after"
        token.fault("no-so-flags", "no-vendor-objects", lost)
        for wrong in WRONG_PUKS[:2]:
            with raises("OutcomeUnknown"):
                client.unlock(path, wrong, NEW_PIN, final_attempt=True)
        token.fault("no-so-flags", "no-vendor-objects")
        check(client.refresh(path), tries("puk", "unknown"), record("puk", None, 2))
    assert token.counters()["puk"] == 1


def test_a_login_that_says_it_did_not_look(sandbox):
    """Where the token shows no number of tries, that proves nothing: the module may have counted."""
    token = sandbox.token("etoken")
    quiet = ["no-vendor-objects", "no-so-flags", "no-pin-flags"]
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        token.fault(*quiet)
        client.refresh(path)
        token.fault(*quiet, "error C_Login 1 CKR_USER_ALREADY_LOGGED_IN after operate")
        with raises("Failed", "OutcomeUnknown") as caught:
            client.unlock(path, WRONG_PUKS[0], NEW_PIN, final_attempt=True)
        assert "nothing was sent" not in caught[0].message
        check(client.status(path), record("puk", None, 1))
    assert token.counters()["puk"] == 2
