# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tokend tells of its own record: what it has sent, and never how many tries that leaves, since others use tokens too."""

import signal

import pytest
from sandbox import wait_until
from support import (
    WRONG_PINS,
    WRONG_PUKS,
    Client,
    check,
    nothing_sent,
    only_path,
    only_token,
    raises,
    record,
    restart_with_profile,
    tries,
    trust_puk_flags,
)

NEW_PIN = "4321"
LEDGER = "/var/lib/tokend/ledger"
MUTE_PIN = ("no-pin-flags", "no-vendor-objects")
MUTE_PUK = ("no-so-flags", "no-vendor-objects")


def told(sandbox, *arguments):
    """What tokenctl status says."""
    return sandbox.tokenctl("alice", "status", *arguments).stdout


def assert_not_too_few(status, token, role):
    """No number, or the token's own; and no lock that it does not have."""
    left = token.counters()[role]
    assert status.get(f"{role}-retries-remaining", left) == left, status
    assert (status[f"{role}-state"] == "locked") == (left == 0), status
    assert status[f"{role}-state"] != "final-try" or left == 1, status


@pytest.mark.parametrize("wrong", [2, 3])
def test_another_program_brings_the_tries_back(sandbox, wrong):
    """Nobody tells us. So what we have sent is told, and no "1 try left", and nobody is sent to the PUK for a lock that is none."""
    token = only_token(sandbox)
    restart_with_profile(sandbox, "etoken", "[PIN]\nMaximum=3\n")
    token.fault(*MUTE_PIN)
    with Client(sandbox) as client:
        path = only_path(client)
        for number in range(wrong):
            with raises("PinIncorrect", "PinLocked"):
                client.set_pin(path, WRONG_PINS[number], sandbox.pin, final_attempt=True)
        assert token.counters()["pin"] == 3 - wrong
        if wrong == 3:
            assert token.login_so(sandbox.puk)
            unlock_elsewhere(sandbox, token)
        assert token.login(sandbox.pin) and token.counters() == {"pin": 3, "puk": 3}

        status = client.refresh(path)
        assert_not_too_few(status, token, "pin")
        check(status, tries("pin", "unknown"), record("pin", wrong))
        text = told(sandbox)
        assert f"tokend has sent {wrong} wrong PINs since the last right one, the last on " in text
        # After three it may be locked for all that tokend knows: that is said with an "if" alone.
        assert "1 try left" not in text and ("is locked" if wrong == 3 else "locked") not in text
        # What it bars it bars still; and a right one ends that.
        with nothing_sent(token), raises("FinalAttempt"):
            client.set_pin(path, sandbox.pin, sandbox.pin)
        client.set_pin(path, sandbox.pin, "4321", final_attempt=True)
        check(client.refresh(path), tries("pin", "ok", 3, "flags"), record("pin"))
    assert "wrong PIN" not in told(sandbox)


def unlock_elsewhere(sandbox, token):
    """Another program unlocks the PIN, and sets the same."""
    tool = ["pkcs11-tool", "--module", token.module, "--login", "--login-type", "so", "--init-pin"]
    tool += ["--so-pin", "env:PUK", "--new-pin", "env:PIN"]
    done = sandbox.run("alice", tool, env={"PUK": sandbox.puk, "PIN": sandbox.pin})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["opencryptoki", "softhsm", "piv-card"])
def test_of_modules_of_others(make_sandbox, kind):
    """A wrong code through us, then the right one in another program."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    role = "pin" if kind == "piv-card" else "puk"
    before = token.flags()
    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        for number in range(2):
            with raises("PinIncorrect", "PukIncorrect"):
                if role == "pin":
                    client.set_pin(path, "11111" + str(number), sandbox.pin, final_attempt=True)
                else:
                    client.unlock(path, WRONG_PUKS[number], sandbox.pin, final_attempt=True)
        assert token.login(sandbox.pin) if role == "pin" else token.login_so(sandbox.puk)
        assert token.flags() == before
        status = client.refresh(path)
        assert status[f"{role}-state"] in ("ok", "unknown")
        assert status.get(f"{role}-retries-source") != "ledger"
        assert "1 try left" not in told(sandbox) and "locked" not in told(sandbox)


def test_nobody_typed_a_wrong_pin(sandbox):
    """What became of a try is not known: it may have been lost, and that is what is said."""
    token = only_token(sandbox)
    token.fault(*MUTE_PIN, "pause C_SetPIN")
    with Client(sandbox) as client:
        path = only_path(client)
        client.begin_operation("SetPin", path, sandbox.pin, "4321")
        token.wait_paused()
        sandbox.stop_tokend(signal.SIGKILL)
        (host,) = sandbox.hosts("operate")
        sandbox.kill(host)
    token.fault(*MUTE_PIN)
    assert token.counters() == {"pin": 3, "puk": 3} and token.login(sandbox.pin)
    sandbox.start_tokend()
    check(sandbox.status(token=token.label), record("pin", None, 1))
    text = told(sandbox)
    assert "1 PIN try may have been lost" in text
    assert "wrong PIN" not in text


def test_each_wrong_puk_is_told_in_other_words(make_sandbox):
    """Of a PIV card no flag tells. After the third nobody is sent on with the PUK."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    token.wrong_pin(3)
    texts, answers = [], []
    for number, wrong in enumerate(WRONG_PUKS, 1):
        codes = {"puk": wrong, "new": "654321"}
        command = ["unlock", token.label, "--final-attempt", "--puk-fd", "{puk}", "--new-pin-fd", "{new}"]
        answers.append(sandbox.tokenctl("alice", *command, codes=codes).stderr)
        assert token.counters() == {"pin": 0, "puk": 3 - number}
        texts.append(told(sandbox, token.label))
        check(sandbox.status(token=token.label), tries("puk", "unknown", maximum=None), record("puk", number))
    assert len(set(texts)) == len(set(answers)) == 3
    for number, (text, answer) in enumerate(zip(texts, answers), 1):
        said = f"tokend has sent {number} wrong PUK{'s' if number > 1 else ''} since the last right one, "
        assert said in text and said in answer, (text, answer)
    assert all("Unlock it with the PUK" in text for text in texts[:2])
    assert "nlock" not in texts[2] and "nlock" not in answers[2]
    assert "The PUK may be locked: make no further try." in texts[2]


def test_cards_without_a_serial_number(make_sandbox):
    """What was sent to one is not told of another, bars it all the same, and is not settled by it."""
    sandbox = make_sandbox(["etoken:label=CARD,serial=0000", "etoken:label=CARD,serial=0000"])
    first, second = sandbox.tokens.values()
    trust_puk_flags(sandbox)
    second.fault("vanish")
    first.fault(*MUTE_PUK)
    with Client(sandbox) as client:
        client.subscribe()
        wait_until(lambda: len(client.tokens()) == 1, what="the first card alone")
        (path,) = client.tokens()
        for wrong in WRONG_PUKS:
            with raises("PukIncorrect", "PukLocked"):
                client.unlock(path, wrong, sandbox.pin, final_attempt=True)
        assert first.counters()["puk"] == 0

        first.fault("vanish")
        wait_until(lambda: not client.tokens(), what="no card")
        second.fault(*MUTE_PUK)
        wait_until(client.tokens, what="the second card")
        (path,) = client.tokens()
        assert second.counters() == {"pin": 3, "puk": 3}
        check(client.refresh(path), tries("puk", "unknown"), record("puk"))
        with nothing_sent(second), raises("FinalAttempt"):
            client.unlock(path, sandbox.puk, sandbox.pin)
        client.unlock(path, sandbox.puk, sandbox.pin, final_attempt=True)

        second.fault("vanish")
        wait_until(lambda: not client.tokens(), what="no card")
        first.fault(*MUTE_PUK)
        wait_until(client.tokens, what="the first card")
        (path,) = client.tokens()
        with nothing_sent(first), raises("FinalAttempt"):
            client.unlock(path, sandbox.puk, sandbox.pin)


def test_a_card_without_a_serial_number_that_stays_in(make_sandbox):
    """pcscd counts insertions: what was sent is told until the card may be another one, and a right code settles it till then."""
    sandbox = make_sandbox(["pkcs15-card:serial=00000000"])
    card = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[card.label]
        with raises("PinIncorrect"):
            client.set_pin(path, WRONG_PINS[0], NEW_PIN, final_attempt=True)
        assert card.counters()["pin"] == 2
        check(client.refresh(path), record("pin", 1))
        client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
        check(client.refresh(path), record("pin"))
        assert "pin-spent" not in sandbox.read_file(LEDGER)

        with raises("PinIncorrect"):
            client.set_pin(path, WRONG_PINS[1], sandbox.pin, final_attempt=True)
        check(client.refresh(path), record("pin", 1))
        card.fault("vanish")
        wait_until(lambda: not client.tokens(), what="no card")
        card.clear_faults()
        wait_until(client.tokens, what="the card")
        (path,) = client.tokens()
        check(client.refresh(path), record("pin"))
        client.set_pin(path, NEW_PIN, sandbox.pin, final_attempt=True)
        assert "pin-spent=1" in sandbox.read_file(LEDGER)
