# SPDX-License-Identifier: LGPL-2.1-or-later
"""A card with two PINs, which OpenSC shows as two tokens of one serial number: what happens to one says nothing of the
other.

What is said is held against the card's own counters and its own record of what it was sent. An OpenPGP card shows two
tokens, too, but they are one PIN; see test_cards.py as well.
"""

import re
import signal

import pytest
from kinds import SIGN_LABEL, SIGN_PIN, SIGN_PUK
from sandbox import wait_until
from support import (
    WRONG_PUKS,
    Client,
    check,
    held_hosts,
    nothing_sent,
    only_token,
    raises,
    record,
    relays_have_ended,
    restart_with_profile,
    sent,
    tries,
)

DONE, USAGE, WRONG_CODE, REFUSED = 0, 2, 5, 7

NEW_PIN = "654321"
WRONG_PINS = ("111111", "222222", "333333")
WRONG_PUK = WRONG_PUKS[0]

FULL = {"pin": 3, "puk": 5, "sign-pin": 3, "sign-puk": 5}
# Of the code that showed the lock it is not known whether it was wrong: the card answers a right one in the same words.
LOCKED = tries("pin", "unknown", maximum=None) | record("pin", 2, None, "locked")
NOT_KNOWN = tries("pin", "unknown", maximum=None)


class TwoPins:
    """The card, and its two tokens on the bus of this client."""

    def __init__(self, sandbox, client):
        self.card = only_token(sandbox)
        self._client = client
        self.auth, self.sign = self.find(self.card.label), self.find(SIGN_LABEL)

    def find(self, label):
        (path,) = [path for path in self._client.tokens() if self._client.status(path)["label"] == label]
        return path

    def left(self):
        return self.card.all_counters()

    def set_pin(self, path, pin, new_pin=NEW_PIN, **options):
        return self._client.set_pin(path, pin, new_pin, final_attempt=True, **options)

    def unlock(self, path, puk, final_attempt=True, **options):
        return self._client.unlock(path, puk, NEW_PIN, final_attempt=final_attempt, **options)

    def refuse(self, path, *pins):
        """Wrong PINs, each of which costs a try."""
        for pin in pins:
            with raises("PinIncorrect", "PinLocked"):
                self.set_pin(path, pin)

    def status(self, path):
        return self._client.refresh(path)


@pytest.fixture
def make_pins(make_sandbox):
    """Makes a card in a sandbox of its own; profile: what an administrator adds to it. The client leaves at the end."""
    clients = []

    def make(profile=None, kind="pkcs15-card:pins=2"):
        sandbox = make_sandbox([kind])
        if profile:
            restart_with_profile(sandbox, "opensc-pkcs15", profile)
        clients.append(Client(sandbox))
        clients[-1].subscribe()
        return sandbox, TwoPins(sandbox, clients[-1])

    yield make
    for client in clients:
        client.close()


def test_shown_apart(make_pins):
    """Two tokens of one card, each with its own PIN and key."""
    _, pins = make_pins()
    auth, sign = pins.status(pins.auth), pins.status(pins.sign)
    assert auth["serial"] == sign["serial"] and auth["label"] != sign["label"]
    assert auth["pin-shared"] is sign["pin-shared"] is False
    assert pins.card.login("123456") and pins.card.login(SIGN_PIN, label=SIGN_LABEL)
    assert pins.left() == FULL


def test_refused_pin_outlives_the_other_ones_success(make_pins):
    """A wrong PIN of one, the right one of the other, and the wrong one again: it is not sent."""
    _, pins = make_pins()
    pins.refuse(pins.sign, WRONG_PINS[0])
    pins.set_pin(pins.auth, "123456")
    assert pins.left() == FULL | {"sign-pin": 2}
    with nothing_sent(pins.card), raises("AlreadyRefused"):
        pins.set_pin(pins.sign, WRONG_PINS[0])

    pins.refuse(pins.auth, WRONG_PINS[0])  # which may well be right for the other one
    assert pins.left() == FULL | {"pin": 2, "sign-pin": 2}
    pins.set_pin(pins.sign, SIGN_PIN)
    with nothing_sent(pins.card), raises("AlreadyRefused"):
        pins.set_pin(pins.auth, WRONG_PINS[0])
    assert pins.left() == FULL | {"pin": 2}
    assert pins.card.login(NEW_PIN, label=SIGN_LABEL)


def test_lock_of_one(make_pins):
    """It is not the other's, which goes on with all that it has; nor does that one's success hide it, or a restart."""
    sandbox, pins = make_pins()
    pins.refuse(pins.sign, *WRONG_PINS)
    assert pins.left() == FULL | {"sign-pin": 0}
    check(pins.status(pins.sign), LOCKED)
    check(pins.status(pins.auth), NOT_KNOWN)
    check(pins.set_pin(pins.auth, "123456"), NOT_KNOWN)
    check(pins.status(pins.sign), LOCKED)

    sandbox.stop_tokend()
    sandbox.start_tokend()
    with Client(sandbox) as client:
        client.subscribe()
        after = TwoPins(sandbox, client)
        check(after.status(after.sign), LOCKED)
        check(after.status(after.auth), NOT_KNOWN)
    assert pins.left() == FULL | {"sign-pin": 0}


def test_unlocking_one(make_pins):
    """By its own PUK. The other one's tries, and what was refused of it, stay as they are."""
    _, pins = make_pins()
    pins.refuse(pins.sign, *WRONG_PINS)
    pins.refuse(pins.auth, WRONG_PINS[0])
    with raises("PukIncorrect"):
        pins.unlock(pins.sign, WRONG_PUK)
    before = sent(pins.card)
    check(pins.unlock(pins.sign, SIGN_PUK), NOT_KNOWN)
    assert sent(pins.card)[len(before) :] == ["RESET-RETRY-COUNTER"]
    assert pins.left() == FULL | {"pin": 2}
    assert pins.card.login(NEW_PIN, label=SIGN_LABEL)
    with nothing_sent(pins.card), raises("AlreadyRefused"):
        pins.set_pin(pins.auth, WRONG_PINS[0])
    pins.refuse(pins.sign, WRONG_PINS[0])  # what was refused of an older PIN says nothing of this one
    assert pins.left() == FULL | {"pin": 2, "sign-pin": 2}


def test_pending_try_of_one(make_pins):
    """The service is killed before it hears what came of a try: it counts for that PIN alone."""
    sandbox, pins = make_pins("[PIN]\nFlags=last-only\nMaximum=3\n")
    pins.card.fault("pause CHANGE-REFERENCE-DATA")
    with Client(sandbox) as client:
        client.begin_operation("SetPin", pins.sign, SIGN_PIN, "135790", final_attempt=True)
        pins.card.wait_paused()
        sandbox.stop_tokend(signal.SIGKILL)
    pins.card.clear_faults()
    sandbox.start_tokend()
    with Client(sandbox) as client:
        client.subscribe()
        after = TwoPins(sandbox, client)
        check(after.status(after.sign), tries("pin", "ok"), record("pin", None, 1))
        check(after.status(after.auth), tries("pin", "ok", maximum=3))


def test_puk_that_was_refused(make_pins):
    """It may be one for both: it is not sent by the other label either, unless the caller says that it is another."""
    _, pins = make_pins()
    with raises("PukIncorrect"):
        pins.unlock(pins.sign, WRONG_PUK)
    with nothing_sent(pins.card), raises("AlreadyRefused"):
        pins.unlock(pins.auth, WRONG_PUK)
    with raises("PukIncorrect"):
        pins.unlock(pins.auth, WRONG_PUK, send_refused_code=True)
    pins.unlock(pins.auth, "12345678")
    with nothing_sent(pins.card), raises("AlreadyRefused"):
        pins.unlock(pins.sign, WRONG_PUK)
    assert pins.left() == FULL | {"sign-puk": 4}


def test_puk_that_is_locked(make_pins):
    """It may be the other one's, too, and takes the word for a last try; until that one is right: it is another."""
    _, pins = make_pins()
    locked = {"puk-state": "unknown", "puk-last-seen": "locked"}
    for puk in (*WRONG_PUKS, "44444444", "55555555"):
        with raises("PukIncorrect", "PukLocked"):
            pins.unlock(pins.sign, puk)
    assert pins.left() == FULL | {"sign-puk": 0}
    check(pins.status(pins.sign), locked | {"puk-sent-elsewhere": None})
    check(pins.status(pins.auth), {"puk-state": "unknown", "puk-last-seen": None, "puk-wrong-sent": None})
    check(pins.status(pins.auth), {"puk-sent-elsewhere": True})
    with nothing_sent(pins.card), raises("FinalAttempt"):
        pins.unlock(pins.auth, "12345678", final_attempt=False)
    check(pins.unlock(pins.auth, "12345678"), tries("puk", "unknown", maximum=None))
    check(pins.status(pins.sign), locked)
    assert pins.left() == FULL | {"sign-puk": 0}


def test_one_operation_a_card(make_pins):
    """Whatever its label: while one waits for its host, the other has none sent."""
    sandbox, pins = make_pins()
    with Client(sandbox) as client:
        with held_hosts(sandbox):
            changing = client.begin_operation("SetPin", pins.sign, SIGN_PIN, NEW_PIN, final_attempt=True)
            wait_until(lambda: not relays_have_ended(sandbox), what="the connection to the operating host")
            with nothing_sent(pins.card), raises("Busy"):
                pins.set_pin(pins.auth, "123456")
        client.finish(changing)
    assert pins.card.login(NEW_PIN, label=SIGN_LABEL)


def test_one_puk_for_both(make_pins):
    """A security officer's PIN: its tries count by either label, and each PIN is unlocked alone."""
    _, pins = make_pins(kind="pkcs15-card:pins=2,so-pin=yes")
    pins.refuse(pins.sign, *WRONG_PINS)
    pins.refuse(pins.auth, *WRONG_PINS)
    with raises("PukIncorrect"):
        pins.unlock(pins.auth, WRONG_PUK)
    with nothing_sent(pins.card), raises("AlreadyRefused"):
        pins.unlock(pins.sign, WRONG_PUK)
    assert pins.left() == {"pin": 0, "puk": 4, "sign-pin": 0}
    check(pins.unlock(pins.sign, "12345678"), NOT_KNOWN)
    check(pins.status(pins.auth), LOCKED)
    assert pins.left() == {"pin": 0, "puk": 5, "sign-pin": 3}


def test_one_puk_for_both_without_a_serial_number(make_pins):
    """Whether two labels are one card cannot be told then: a PUK that may be the same is not sent again by the other."""
    _, pins = make_pins(kind="pkcs15-card:pins=2,so-pin=yes,serial=00000000")
    with raises("PukIncorrect"):
        pins.unlock(pins.auth, WRONG_PUK)
    with nothing_sent(pins.card), raises("AlreadyRefused"):
        pins.unlock(pins.sign, WRONG_PUK)


def test_told_apart_by_tokenctl(make_pins):
    """Each PIN has its own advice, a terminal says which one is meant; a PUK that is another one's is no dead end."""
    sandbox, pins = make_pins()
    auth = pins.card.label
    pins.refuse(pins.sign, *WRONG_PINS)
    pins.refuse(pins.auth, *WRONG_PINS)
    shown = sandbox.tokenctl("alice", "status").stdout
    assert f"{auth}: the same card as {SIGN_LABEL}, with a PIN of its own\n" in shown
    assert shown.count("If it is still locked, unlock it with the PUK") == 2 and f"tokenctl unlock '{auth}'" in shown

    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        terminal.expect(r"\(the same card, with a PIN of its own\)")
        assert terminal.finish() == USAGE
    for command in ("unlock", "set-pin"):
        with sandbox.terminal("alice", ["tokenctl", command, "--final-attempt", auth]) as terminal:
            terminal.expect(f"Token: {re.escape(auth)}, serial {pins.card.serial}\n")
            terminal.expect(f"several PINs.*“{re.escape(auth)}” alone")
            terminal.type("\x03")
            assert terminal.finish() != DONE

    unlocking = ["unlock", "--final-attempt", "--puk-fd", "{puk}", "--new-pin-fd", "{new}"]
    codes = {"puk": "12345678", "new": NEW_PIN}
    assert sandbox.tokenctl("alice", *unlocking, SIGN_LABEL, codes=codes).returncode == WRONG_CODE
    with nothing_sent(pins.card):
        finished = sandbox.tokenctl("alice", *unlocking, auth, codes=codes)
    assert finished.returncode == REFUSED and "--send-refused-code" in finished.stderr
    assert sandbox.tokenctl("alice", *unlocking, "--send-refused-code", auth, codes=codes).returncode == DONE
    assert pins.left() == FULL | {"sign-pin": 0, "sign-puk": 4}


@pytest.mark.parametrize("shared", [True, False], ids=["as shipped", "if the profile said otherwise"])
def test_openpgp_card(make_sandbox, shared):
    """Its two tokens are one PIN, as its profile says: what is refused, spent or right by one is so by the other."""
    sandbox = make_sandbox(["openpgp-card"])
    card = only_token(sandbox)
    # What the card itself told would settle what is remembered of either label.
    unasked = "[Ask]\nWay=none\n"
    restart_with_profile(sandbox, "opensc-openpgp", unasked + ("" if shared else "[PIN]\nSharedBySlots=false\n"))
    with Client(sandbox) as client:
        client.subscribe()
        one, other = client.tokens()
        assert all(client.status(path)["pin-shared"] is shared for path in (one, other))
        with raises("PinIncorrect"):
            client.set_pin(one, WRONG_PINS[0], NEW_PIN)
        assert card.counters() == {"pin": 2, "puk": 3}
        # Never to the last try, which the card tells of by either label: that it is over would be a rise for both.
        client.set_pin(other, sandbox.pin, NEW_PIN, final_attempt=True)
        with raises("PinIncorrect" if shared else "AlreadyRefused"):
            client.set_pin(one, WRONG_PINS[0], NEW_PIN)
        assert card.counters() == {"pin": 2 if shared else 3, "puk": 3}
        with raises("AlreadyRefused" if shared else "PinIncorrect"):
            client.set_pin(other, WRONG_PINS[0], NEW_PIN, final_attempt=True)
        assert card.counters() == {"pin": 2, "puk": 3}

        client.set_pin(other, NEW_PIN, sandbox.pin)
        card.fault("pause CHANGE-REFERENCE-DATA")
        label = client.status(one)["label"]
        client.begin_operation("SetPin", one, sandbox.pin, NEW_PIN)
        card.wait_paused()
        sandbox.stop_tokend(signal.SIGKILL)
    card.clear_faults()
    sandbox.start_tokend()
    with Client(sandbox) as client:
        client.subscribe()
        for status in map(client.refresh, client.tokens()):
            assert status["pin-state"] == "ok"
            assert status.get("pin-maybe-lost", 0) == (1 if shared or status["label"] == label else 0)
