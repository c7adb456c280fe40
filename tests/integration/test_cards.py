# SPDX-License-Identifier: LGPL-2.1-or-later
"""Smart cards, through the whole stack: tokend, OpenSC's module, pcscd, and a virtual card in a virtual reader.

What is said of a card is held against its own counters and its own record of what it was sent.
"""

import contextlib
import os
import re
import signal
import time

import pytest
from card_user import CardUser
from sandbox import wait_until
from support import (
    BusError,
    Client,
    check,
    held_at_the_record,
    held_hosts,
    nothing_sent,
    only_token,
    raises,
    record,
    relays_have_ended,
    sent,
    told_by_card,
    tries,
)

NEW_PIN = "654321"
WRONG_PIN = "111111"
WRONG_PUK = "11111111"

CARDS = ["openpgp-card", "piv-card", "pkcs15-card"]
# Those whose counters a fresh process sees, too; and all that there is.
TELLING = ["openpgp-card", "piv-card"]
KINDS = ["openpgp-card", "openpgp-card:wrong-code=63cx", "piv-card", "pkcs15-card", "pkcs15-card:so-pin=yes"]

# What OpenSC makes of each: labels in the order of the slots, serial, manufacturer; and the lengths of a PIN
SHOWN = {
    "openpgp-card": (
        ["OpenPGP card (User PIN)", "OpenPGP card (User PIN (sig))"],
        "ffff02a0b1c1",
        "test card",
        (6, 127),
    ),
    "piv-card": (["Simulated signer"], "0000000002a0b1c1", "piv_II", (6, 8)),
    "pkcs15-card": (["PKCS15-CARD (User PIN)"], "02a0b1c1", "Simulated maker", (4, 16)),
}


def pin_tries(token, remaining):
    """What a status says of a card's PIN with so many tries left. A PKCS #15 card is not asked, and OpenSC knows nothing of it
    before it has tried a PIN.
    """
    if token.kind == "pkcs15-card":
        return tries("pin", "unknown", maximum=None)
    return told_by_card("pin", remaining)


def after_its_pin(token):
    """The same right after a right PIN: while it counts as verified, a PIV card does not tell its tries."""
    return tries("pin", "ok", maximum=None) if token.kind == "piv-card" else pin_tries(token, 3)


def puk_tries(token, remaining):
    """The same of the PUK, which an OpenPGP card alone tells."""
    return told_by_card("puk", remaining) if token.kind == "openpgp-card" else tries("puk", "unknown", maximum=None)


def full(token):
    return {"pin": 3, "puk": 5 if token.kind == "pkcs15-card" else 3}


@pytest.mark.parametrize("kind", CARDS)
def test_fresh_card(make_sandbox, kind):
    """Seen as it is, and that costs no try, however often it is read."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    labels, serial, manufacturer, lengths = SHOWN[kind]
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.wait_labels(labels)
        for label, path in paths.items():
            for _ in range(10):
                status = client.refresh(path)
            assert (status["label"], status["serial"], status["manufacturer"]) == (label, serial, manufacturer)
            assert (status["pin-minimum-length"], status["pin-maximum-length"]) == lengths
            assert status["module"] == "opensc"
            check(status, pin_tries(token, 3), puk_tries(token, 3))
    assert sorted(status["label"] for status in sandbox.status()) == sorted(labels)
    assert token.counters() == full(token)
    assert token.codes_sent() == []
    # An empty VERIFY costs nothing on a card that OpenSC asks by it, which others may count.
    assert set(token.results("VERIFY")) == (set() if kind == "pkcs15-card" else {"63C3"})
    assert token.has_certificate()
    assert token.sign(sandbox.pin)


@pytest.mark.parametrize("kind", [*TELLING, "openpgp-card:wrong-code=63cx"])
def test_wrong_pins_by_another_program(make_sandbox, kind):
    """3, 2, 1, locked: the last try and the end are told to a subscriber soon, on each token of the card."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.wait_labels(SHOWN[token.kind][0]).values()
        for remaining in (2, 1, 0):
            token.wrong_pin()
            begun = time.monotonic()
            assert token.counters() == {"pin": remaining, "puk": 3}
            for path in paths:
                if remaining < 2:
                    client.wait_status(path, pin_tries(token, remaining))
                    print(f"told within {time.monotonic() - begun:.2f} s")
                status = client.refresh(path)
                check(status, pin_tries(token, remaining))
        token.wrong_pin()
    for status in sandbox.status():
        check(status, pin_tries(token, 0))
    assert not token.login(sandbox.pin)
    assert token.counters() == {"pin": 0, "puk": 3}
    assert {name for name, _ in token.codes_sent()} == {"VERIFY"}


@pytest.mark.parametrize("protocol", ["1", "0"])
@pytest.mark.parametrize("kind", ["openpgp-card", "piv-card", "piv-card:maker=yubico"])
def test_exact_tries(make_sandbox, kind, protocol):
    """The card tells them, and is asked for nothing that costs one. Two left prove another one; the last one wants the word."""
    separator = "," if ":" in kind else ":"
    sandbox = make_sandbox([f"{kind}{separator}protocol={protocol}"])
    token = only_token(sandbox)
    maximum = 3 if "yubico" in kind else None

    def check_all(status, pin, puk):
        states = {0: "locked", 1: "final-try", 2: "ok" if maximum is None else "low", 3: "ok"}
        check(status, tries("pin", states[pin], pin, "token", maximum))
        if kind == "piv-card":
            check(status, tries("puk", "unknown", maximum=None))
        else:
            check(status, tries("puk", states[puk], puk, "token", maximum))

    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        for _ in range(5):
            check_all(client.refresh(path), 3, 3)
        assert token.counters() == {"pin": 3, "puk": 3}
        assert token.codes_sent() == []
        with raises("PinIncorrect"):
            client.set_pin(path, WRONG_PIN, NEW_PIN, expected_retries=3)
        check_all(client.refresh(path), 2, 3)
        token.wrong_pin()
        check_all(client.refresh(path), 1, 3)
        with nothing_sent(token), raises("FinalAttempt"):
            client.set_pin(path, sandbox.pin, NEW_PIN)
        with nothing_sent(token), raises("RetriesChanged"):
            client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True, expected_retries=2)
        token.wrong_pin()
        check_all(client.refresh(path), 0, 3)
        with nothing_sent(token), raises("PinLocked"):
            client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
        with raises("PukIncorrect"):
            client.unlock(path, WRONG_PUK, NEW_PIN, final_attempt=kind == "piv-card")
        check_all(client.refresh(path), 0, 2)
        client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=kind == "piv-card")
        check_all(client.refresh(path), 3, 3)
    assert token.counters() == {"pin": 3, "puk": 3}
    if protocol == "1":
        assert token.login(NEW_PIN)


def test_a_card_that_does_not_say_who_it_is(make_sandbox):
    """It is not asked for its tries, and what OpenSC's flags tell is all."""
    sandbox = make_sandbox(["piv-card:discovery=no"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        check(client.refresh(path), tries("pin", "ok", maximum=None))
        token.wrong_pin(2)
        check(client.refresh(path), tries("pin", "final-try", 1, "flags", maximum=None))
        token.wrong_pin()
        check(client.refresh(path), tries("pin", "locked", 0, "flags", maximum=None))


@pytest.mark.parametrize("kind", ["piv-card", "pkcs15-card"])
def test_what_the_profile_does_not_name_is_not_asked(make_sandbox, kind):
    """GET METADATA is a YubiKey's alone; a PKCS #15 card gets no VERIFY without a PIN, which to some costs a try."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        client.refresh(client.paths_by_label()[token.label])
    assert "GET-METADATA" not in token.calls()
    assert ("VERIFY" in token.calls()) == (kind == "piv-card")
    assert token.counters() == full(token)


@pytest.mark.parametrize("kind", KINDS)
def test_new_pin(make_sandbox, kind):
    """By the present one. It signs, and the old one is refused; the tries that were lost are back."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    token.wrong_pin()
    before = sent(token)
    with Client(sandbox) as client:
        client.subscribe()
        for path in client.paths_by_label().values():
            status = client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
            check(status, after_its_pin(token))
            check(client.refresh(path), pin_tries(token, 3))
            client.set_pin(path, NEW_PIN, sandbox.pin, final_attempt=True)
        client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
    assert set(sent(token)[len(before) :]) == {"CHANGE-REFERENCE-DATA"}
    assert token.counters() == full(token)
    assert token.sign(NEW_PIN)
    assert not token.login(sandbox.pin)
    assert token.counters() == full(token) | {"pin": 2}


@pytest.mark.parametrize("kind", [*TELLING, "openpgp-card:wrong-code=63cx"])
def test_wrong_present_pin(make_sandbox, kind):
    """One try each, by the card's own counter; the same one is not sent again; locked, no code is."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        path = paths[token.label]
        with raises("PinIncorrect"):
            client.set_pin(path, WRONG_PIN, NEW_PIN, final_attempt=True)
        assert token.counters() == {"pin": 2, "puk": 3}
        for same in paths.values():
            with nothing_sent(token), raises("AlreadyRefused"):
                client.set_pin(same, WRONG_PIN, NEW_PIN, final_attempt=True)
        with raises("PinIncorrect"):
            client.set_pin(path, WRONG_PIN, NEW_PIN, send_refused_code=True)
        assert token.counters() == {"pin": 1, "puk": 3}
        check(client.refresh(path), pin_tries(token, 1))
        with nothing_sent(token), raises("FinalAttempt"):
            client.set_pin(path, sandbox.pin, NEW_PIN)
        with raises("PinIncorrect", "PinLocked"):
            client.set_pin(path, "333333", NEW_PIN, final_attempt=True)
        assert token.counters() == {"pin": 0, "puk": 3}
        with nothing_sent(token), raises("PinLocked"):
            client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
        check(client.refresh(path), pin_tries(token, 0))


@pytest.mark.parametrize("kind", TELLING)
def test_another_program_is_there_before_the_host(make_sandbox, kind):
    """What was the last but one try when the card was read is the last one to the operating host: it is not sent."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    token.wrong_pin()
    with Client(sandbox) as client, held_hosts(sandbox) as release:
        client.subscribe()
        changing = client.begin_operation("SetPin", client.paths_by_label()[token.label], sandbox.pin, NEW_PIN)
        wait_until(lambda: not relays_have_ended(sandbox), what="the connection to the operating host")
        token.wrong_pin()
        with nothing_sent(token), raises("FinalAttempt"):
            release()
            client.finish(changing)
    assert token.counters() == {"pin": 1, "puk": 3}
    assert token.login(sandbox.pin)


def test_card_that_does_not_tell(make_sandbox):
    """Of a PKCS #15 card OpenSC knows no counter: what another program spent is not seen, and it is never said to be well.

    What our own try has shown is.
    """
    sandbox = make_sandbox(["pkcs15-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        for remaining in (2, 1, 0):
            token.wrong_pin()
            assert token.counters() == {"pin": remaining, "puk": 5}
            check(client.refresh(path), tries("pin", "unknown", maximum=None))
        with raises("FinalAttempt"):
            client.set_pin(path, sandbox.pin, NEW_PIN)
        # The card's answer is the same as to a wrong PIN, 63C0, and so is OpenSC's.
        with raises("PinLocked"):
            client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
        check(client.refresh(path), tries("pin", "unknown", maximum=None), record("pin", None, None, "locked"))
        client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
        check(client.refresh(path), tries("pin", "unknown", maximum=None))
    assert token.counters() == {"pin": 3, "puk": 5}


@pytest.mark.parametrize("kind", TELLING)
def test_pulled_out_and_put_in_again(make_sandbox, kind):
    """Off the bus and back, with the tries that it had."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    labels = SHOWN[kind][0]
    token.wrong_pin(2)
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.wait_labels(labels)
        token.fault("vanish")
        for _ in labels:
            client.wait_signal("InterfacesRemoved", lambda signal: signal["arguments"][0] in paths.values())
        assert client.tokens() == []
        token.clear_faults()
        for path in client.wait_labels(labels).values():
            check(client.status(path), pin_tries(token, 1))
    assert token.counters() == {"pin": 1, "puk": 3}


@pytest.mark.parametrize("kind", CARDS)
def test_refused_codes_outlive_a_removal(make_sandbox, kind):
    """The counters did not rise meanwhile: neither is sent again."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    labels = SHOWN[kind][0]
    with Client(sandbox) as client:
        client.subscribe()
        path = client.wait_labels(labels)[token.label]
        with raises("PinIncorrect"):
            client.set_pin(path, WRONG_PIN, NEW_PIN, final_attempt=True)
        with raises("PukIncorrect"):
            client.unlock(path, WRONG_PUK, NEW_PIN, final_attempt=True)
        token.fault("vanish")
        client.wait_labels([])
        token.clear_faults()
        path = client.wait_labels(labels)[token.label]
        with nothing_sent(token), raises("AlreadyRefused"):
            client.set_pin(path, WRONG_PIN, NEW_PIN, final_attempt=True)
        with nothing_sent(token), raises("AlreadyRefused"):
            client.unlock(path, WRONG_PUK, NEW_PIN, final_attempt=True)


@pytest.mark.parametrize("wrong", [[WRONG_PIN, "222222"], [WRONG_PIN, "222222", "333333"]], ids=["last try", "locked"])
def test_refused_pin_that_another_program_sets(make_sandbox, wrong):
    """The card tells of the last try and of a lock, and of no number: once that is over, what was refused may be right."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client, CardUser(sandbox) as user:
        client.subscribe()
        path = client.wait_labels(SHOWN["piv-card"][0])[token.label]
        for pin in wrong:
            with raises("PinIncorrect", "PinLocked"):
                client.set_pin(path, pin, NEW_PIN, final_attempt=True)
        check(client.refresh(path), pin_tries(token, 3 - len(wrong)))
        if len(wrong) < 3:
            with nothing_sent(token), raises("AlreadyRefused") as errors:
                client.set_pin(path, WRONG_PIN, NEW_PIN, final_attempt=True)
            assert re.search(r"before, on \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ;", str(errors[0])), errors
        user.connect("shared")
        user.unblock_piv_pin(sandbox.puk, WRONG_PIN)
        user.do("disconnect")
        check(client.refresh(path), pin_tries(token, 3))
        client.set_pin(path, WRONG_PIN, NEW_PIN)
    assert token.login(NEW_PIN)


def test_refused_pin_of_a_card_that_shows_its_flags_to_one_process(make_sandbox):
    """What the operating host saw, and the watching one does not, is no rise: the PIN that was refused is not sent again."""
    sandbox = make_sandbox(["pkcs15-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        path = client.wait_labels(SHOWN["pkcs15-card"][0])[token.label]
        with raises("PinIncorrect"):
            client.set_pin(path, WRONG_PIN, NEW_PIN, final_attempt=True)
        token.wrong_pin(1)
        # The host that sends it sees the lock.
        with raises("PinLocked"):
            client.set_pin(path, "333333", NEW_PIN, final_attempt=True)
        for _ in range(2):
            client.refresh(path)
            with nothing_sent(token), raises("AlreadyRefused"):
                client.set_pin(path, WRONG_PIN, NEW_PIN, final_attempt=True)


def test_refused_pin_is_sent_when_a_person_says_so(make_sandbox):
    """Nothing shows that another program has set it since: tokenctl asks, and the service is not restarted for it."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    wait_until(lambda: sandbox.status(), what="the card")
    codes = {"pin": WRONG_PIN, "new": NEW_PIN}
    setting = ["set-pin", "--final-attempt", "--pin-fd", "{pin}", "--new-pin-fd", "{new}"]
    assert sandbox.tokenctl("alice", *setting, codes=codes).returncode == 5
    with CardUser(sandbox) as user:
        user.connect("shared")
        user.change_piv_pin(sandbox.pin, WRONG_PIN)
    with nothing_sent(token):
        finished = sandbox.tokenctl("alice", *setting, codes=codes)
        assert finished.returncode == 7, finished
        assert re.search(r"refused this very PIN before, on \d+ \w+ \d{4}, \d\d:\d\d, so it was not sent", finished.stderr)
        assert "No try was spent." in finished.stderr and "--send-refused-code" in finished.stderr
    with sandbox.terminal("alice", ["tokenctl", "set-pin"]) as terminal:
        for prompt, code in (("Present PIN: $", WRONG_PIN), ("New PIN .*: $", NEW_PIN), ("once more: $", NEW_PIN)):
            terminal.expect(prompt)
            wait_until(lambda: not terminal.is_echoing(), what="the end of echoing")
            terminal.type_line(code)
        terminal.expect(r"refused this very PIN before, on .*\n")
        terminal.expect(r"costs a try.* If so, type yes.*: $")
        terminal.type_line("yes")
        terminal.expect("The new PIN is set")
        assert terminal.finish() == 0
    assert token.login(NEW_PIN)


@pytest.mark.parametrize("kind", TELLING)
def test_who_asks_is_told_at_once(make_sandbox, kind):
    """With nobody subscribed GetStatus reads the card, and tokenctl says the same."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        client.unsubscribe()
        read_at = [client.status(path)["read-at"]]
        for remaining in (2, 1, 0):
            token.wrong_pin()
            status = client.status(path)
            check(status, pin_tries(token, remaining))
            read_at.append(status["read-at"])
        assert read_at == sorted(set(read_at))
        tokenctls = sandbox.status(token=token.label)
        assert tokenctls.pop("read-at") >= status.pop("read-at")
        assert tokenctls == status


def test_two_cards_with_one_label(make_sandbox):
    """tokenctl asks for the serial; each is unlocked by its own, and the other one is left alone."""
    sandbox = make_sandbox(["piv-card", "piv-card"])
    first, second = sandbox.tokens.values()
    unlocking = ["unlock", "--final-attempt", "--puk-fd", "{puk}", "--new-pin-fd", "{new}"]
    codes = {"puk": sandbox.puk, "new": NEW_PIN}
    with nothing_sent(first), nothing_sent(second):
        finished = sandbox.tokenctl("alice", *unlocking, first.label, codes=codes)
    assert finished.returncode == 2
    assert first.serial in finished.stderr and second.serial in finished.stderr
    for token, other in ((first, second), (second, first)):
        with nothing_sent(other):
            serial = next(status["serial"] for status in sandbox.status() if status["serial"].endswith(token.serial))
            finished = sandbox.tokenctl("alice", *unlocking, serial, codes=codes | {"puk": WRONG_PUK})
            assert finished.returncode == 5, finished.stderr
            assert token.counters() == {"pin": 3, "puk": 2}
            finished = sandbox.tokenctl("alice", *unlocking, serial, codes=codes)
            assert finished.returncode == 0, finished.stderr
        assert token.counters() == {"pin": 3, "puk": 3}


@pytest.mark.parametrize("when", ["", " after"], ids=["before", "after"])
@pytest.mark.parametrize("kind", CARDS)
def test_pulled_out_while_the_pin_is_set(make_sandbox, kind, when):
    """An error, one code sent at most, and once it is back the status is what the card says."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    labels = SHOWN[kind][0]
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.wait_labels(labels)
        token.fault(f"remove CHANGE-REFERENCE-DATA 1{when}")
        # OpenSC calls it CKR_GENERAL_ERROR, which may be anything.
        with raises("OutcomeUnknown"):
            client.set_pin(paths[token.label], sandbox.pin, NEW_PIN, final_attempt=True)
        assert token.codes_sent() == [("CHANGE-REFERENCE-DATA", "REMOVED")]
        assert token.counters() == full(token)
        client.wait_labels([])
        token.clear_faults()
        for path in client.wait_labels(labels).values():
            # Whether the card took the code as a try is known where it tells; else it may be lost.
            status = client.refresh(path)
            check(status, pin_tries(token, 3), record("pin", None, 1 if kind == "pkcs15-card" else None))
    assert token.login(NEW_PIN if when else sandbox.pin)


def test_pulled_out_while_it_is_looked_at(make_sandbox):
    """OpenSC then keeps a lock of its own, for which it must not wait: the other card is served at once, by the same host."""
    sandbox = make_sandbox(["piv-card", "openpgp-card"])
    token, other = sandbox.tokens.values()
    with Client(sandbox) as client:
        client.subscribe()
        hosts = sandbox.hosts("watch")
        for number in (1, 10, 20, 29):
            paths = client.wait_labels(SHOWN["piv-card"][0] + SHOWN["openpgp-card"][0])
            token.fault(f"remove * {number}")
            with contextlib.suppress(BusError):
                client.refresh(paths[token.label])
            check(client.refresh(paths[other.label]), pin_tries(other, 3))
            assert "REMOVED" in token.results("SELECT") + token.results("GET-DATA") + token.results("VERIFY")
            token.clear_faults()
        assert sandbox.hosts("watch") == hosts


def test_pulled_out_at_the_last_look(make_sandbox):
    """Right before the PIN would have gone: told soon, and the card is served as soon as it is back."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        client.unsubscribe()
        with held_at_the_record(sandbox) as wait:
            changing = client.begin_operation("SetPin", path, sandbox.pin, NEW_PIN)
            wait()
            token.fault("remove VERIFY 1")
        # The card does not tell its tries then.
        with raises("TokenRemoved"):
            client.finish(changing)
        assert token.codes_sent() == []
        token.clear_faults()
        client.subscribe()
        paths = client.wait_labels(SHOWN["piv-card"][0])
        client.set_pin(paths[token.label], sandbox.pin, NEW_PIN, final_attempt=True)
    assert token.login(NEW_PIN)


def test_two_cards_and_another_token(make_sandbox):
    """Each with its own counters, whatever reader it is in."""
    sandbox = make_sandbox([*TELLING, "etoken"])
    with Client(sandbox) as client:
        client.subscribe()
        labels = [label for kind in TELLING for label in SHOWN[kind][0]] + ["ETOKEN"]
        paths = client.wait_labels(labels)
        piv, openpgp = sandbox.token("piv-card"), sandbox.token("openpgp-card")
        piv.wrong_pin(3)
        openpgp.wrong_pin(2)
        for token, remaining in [(piv, 0), (openpgp, 1)]:
            check(client.refresh(paths[token.label]), pin_tries(token, remaining))
            assert token.counters() == {"pin": remaining, "puk": 3}
        check(client.refresh(paths["ETOKEN"]), tries("pin", "ok", 3, "token"))


@pytest.mark.parametrize("kind", CARDS)
def test_slow_card(make_sandbox, kind):
    """Each command takes its time, as on many a real card: it is told of as a fast one is."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    token.wrong_pin(2)
    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        token.fault("delay * 20")
        before, begun = len(token.calls()), time.monotonic()
        check(client.refresh(path), pin_tries(token, 1))
        status = client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
        assert time.monotonic() - begun > 0.02 * (len(token.calls()) - before) > 0
        check(status, after_its_pin(token))
    token.clear_faults()
    assert token.sign(NEW_PIN)


@pytest.mark.parametrize("garbage", ["lengths", "truncated", "noise", "status", "excess", "half-status"])
@pytest.mark.parametrize("kind", CARDS)
def test_garbage(make_sandbox, kind, garbage):
    """Whatever comes of a card that answers nonsense: no code goes out, and once it makes sense again, so does the status."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    labels = SHOWN[kind][0]
    with Client(sandbox) as client, CardUser(sandbox) as user:
        client.subscribe()
        client.wait_labels(labels)
        with nothing_sent(token):
            token.fault("vanish")
            client.wait_labels([])
            token.fault(f"garbage * * {garbage}")
            wait_until(lambda: "GARBAGE" in token.results("SELECT"), what="garbage")
            # There may be no token of such a card that would leave with it.
            token.fault("vanish")
            user.wait_present(False)
            client.wait_labels([])
            token.clear_faults()
            client.wait_labels(labels)
        token.wrong_pin(2)
        for path in client.wait_labels(labels).values():
            check(client.refresh(path), pin_tries(token, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_unlocking(make_sandbox, kind):
    """A wrong PUK costs one try and is not sent again; the right one sets a new PIN, which signs. The card's own counters say
    so, of which OpenSC shows none for the PUK: each may be the last."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    token.wrong_pin(3)
    with Client(sandbox) as client:
        client.subscribe()
        path = client.paths_by_label()[token.label]
        status = client.status(path)
        check(status, pin_tries(token, 0), puk_tries(token, 3))
        assert status["can-unlock"]
        if token.kind != "openpgp-card":
            with nothing_sent(token), raises("FinalAttempt"):
                client.unlock(path, sandbox.puk, NEW_PIN)
            # A number that is not known is none that a caller can have seen.
            with nothing_sent(token), raises("RetriesChanged"):
                client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True, expected_retries=full(token)["puk"])
        with raises("PukIncorrect"):
            client.unlock(path, WRONG_PUK, NEW_PIN, final_attempt=True)
        assert token.counters() == {"pin": 0, "puk": full(token)["puk"] - 1}
        with nothing_sent(token), raises("AlreadyRefused"):
            client.unlock(path, WRONG_PUK, NEW_PIN, final_attempt=True)
        # At the last try, too, the right one is right.
        for left in range(full(token)["puk"] - 2, 0, -1):
            with raises("PukIncorrect"):
                client.unlock(path, WRONG_PUK, NEW_PIN, final_attempt=True, send_refused_code=True)
            assert token.counters() == {"pin": 0, "puk": left}
        status = client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
        check(status, pin_tries(token, 3))
    assert token.counters() == full(token)
    assert token.sign(NEW_PIN)
    assert not token.login(sandbox.pin)
