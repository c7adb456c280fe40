# SPDX-License-Identifier: LGPL-2.1-or-later
"""SetPin: a new PIN by the present one."""

import pytest
from sandbox import wait_until
from support import (
    WRONG_PINS,
    Client,
    check,
    held_at_the_record,
    make_counting,
    nothing_sent,
    only_path,
    only_token,
    raises,
    record,
    restart_with_profile,
    sent,
    tries,
)
from test_recovery import recorded

NEW_PIN = "4321"
COUNTING = ["etoken", "etoken:vendor-objects=false"]
# That C_SetPIN refuses a wrong PIN: no login comes before it.
BELIEVED = "[PIN]\nChangeProves=true\n"


@pytest.mark.parametrize("kind", ["etoken", "opencryptoki", "softhsm"])
def test_right_pin(make_sandbox, kind):
    """The new PIN works in another program, the old one does not; a PIN that had lost tries has them back."""
    sandbox = make_sandbox([kind])
    token = sandbox.token(kind)
    token.wrong_pin()
    with Client(sandbox) as client:
        path = only_path(client)
        assert client.status(path)["pin-state"] == "low"
        status = client.set_pin(path, sandbox.pin, NEW_PIN)
        assert token.login(NEW_PIN)
        assert client.refresh(path)["pin-state"] == "ok"
    if kind == "etoken":
        check(status, tries("pin", "ok", 3, "token"))
        assert sent(token) == ["C_Login", "C_SetPIN"]
        assert token.sign(NEW_PIN)
    assert token.counters() == ({"pin": "ok", "puk": "ok"} if kind == "softhsm" else {"pin": 3, "puk": 3})
    assert not token.login(sandbox.pin)


@pytest.mark.parametrize("kind", COUNTING)
def test_wrong_pin_costs_one_try_once(make_sandbox, kind):
    """PinIncorrect, one try; the same PIN again is not sent, until somebody wants that or the counter has risen."""
    sandbox = make_counting(make_sandbox, kind)
    token = only_token(sandbox)
    source = "token" if kind == "etoken" else "flags"
    wrong = WRONG_PINS[0]
    with Client(sandbox) as client:
        path = only_path(client)
        with raises("PinIncorrect"):
            client.set_pin(path, wrong, NEW_PIN)
        assert token.counters() == {"pin": 2, "puk": 3}
        check(client.status(path), tries("pin", "low", 2, source), tries("puk", "ok", 3, source))
        with nothing_sent(token), raises("AlreadyRefused"):
            client.set_pin(path, wrong, NEW_PIN)
        # What the PIN refused may still be the PUK.
        with raises("PukIncorrect"):
            client.unlock(path, wrong, NEW_PIN)
        with raises("PinIncorrect"):
            client.set_pin(path, wrong, NEW_PIN, send_refused_code=True)
        assert token.counters() == {"pin": 1, "puk": 2}

        # Flags that are better than our own record are believed once they were seen to follow it.
        check(client.refresh(path), tries("pin", "final-try", 1, source))
        assert token.login(sandbox.pin)
        with raises("PinIncorrect"):
            client.set_pin(path, wrong, NEW_PIN)
        assert token.counters() == {"pin": 2, "puk": 2}


def test_wrong_pin_that_is_not_counted(make_sandbox):
    """openCryptoki's C_SetPIN refuses a wrong PIN and counts nothing: no try was spent, and none is said to be."""
    sandbox = make_sandbox(["opencryptoki"])
    token = sandbox.token("opencryptoki")
    full = tries("pin", "ok", 3, "flags")
    with Client(sandbox) as client:
        path = only_path(client)
        for wrong in WRONG_PINS + ("4444",):
            with raises("PinIncorrect"):
                client.set_pin(path, wrong, NEW_PIN)
            assert token.counters() == {"pin": 3, "puk": 3}
            check(client.status(path), full)
            check(client.refresh(path), full)
        with raises("AlreadyRefused"):
            client.set_pin(path, WRONG_PINS[0], NEW_PIN)
        client.set_pin(path, sandbox.pin, NEW_PIN)
    assert token.login(NEW_PIN)


def test_wrong_pin_on_a_token_that_never_locks(make_sandbox):
    """SoftHSM2: low, without a number, and never locked."""
    sandbox = make_sandbox(["softhsm"])
    token = sandbox.token("softhsm")
    with Client(sandbox) as client:
        path = only_path(client)
        for wrong in WRONG_PINS + ("4444",):
            with raises("PinIncorrect"):
                client.set_pin(path, wrong, NEW_PIN)
            check(client.status(path), tries("pin", token.counters()["pin"], maximum=None))
        with raises("AlreadyRefused"):
            client.set_pin(path, WRONG_PINS[0], NEW_PIN)
        client.set_pin(path, sandbox.pin, NEW_PIN)
    assert token.login(NEW_PIN)


@pytest.mark.parametrize("kind", COUNTING + ["opencryptoki"])
def test_last_try_and_locked(make_sandbox, kind):
    """The last try needs the caller's word; a locked PIN takes no code at all, not even the right one."""
    sandbox = make_counting(make_sandbox, kind)
    token = only_token(sandbox)
    token.wrong_pin(2)
    with Client(sandbox) as client:
        path = only_path(client)
        for pin in (WRONG_PINS[0], sandbox.pin):
            with nothing_sent(token), raises("FinalAttempt"):
                client.set_pin(path, pin, NEW_PIN)
        with nothing_sent(token), raises("RetriesChanged"):
            client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True, expected_retries=2)
        status = client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True, expected_retries=1)
        # openCryptoki's counter rises at the next login only, and what the token says is what is said.
        assert token.counters() == {"pin": 1 if kind == "opencryptoki" else 3, "puk": 3}
        assert status["pin-retries-remaining"] == token.counters()["pin"]
        assert token.login(NEW_PIN)
        assert token.counters() == {"pin": 3, "puk": 3}

        token.wrong_pin(3)
        with nothing_sent(token), raises("PinLocked"):
            client.set_pin(path, NEW_PIN, sandbox.pin, final_attempt=True)
        assert token.counters() == {"pin": 0, "puk": 3}
        client.unlock(path, sandbox.puk, sandbox.pin)
    assert token.login(sandbox.pin)


@pytest.mark.parametrize("kind", COUNTING + ["opencryptoki"])
def test_another_program_spends_a_try_meanwhile(make_sandbox, kind):
    """Between the moment the state was found good and the moment the PIN would go: nothing is sent."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        for left, errors in ((2, ["RetriesChanged"]), (1, ["RetriesChanged", "FinalAttempt"])):
            with held_at_the_record(sandbox) as wait:
                changing = client.begin_operation("SetPin", path, sandbox.pin, NEW_PIN)
                wait()
                token.wrong_pin()
            with raises(*errors):
                client.finish(changing)
            assert token.counters() == {"pin": left, "puk": 3}
    if token.kind == "etoken":
        assert sent(token) == []
    assert token.login(sandbox.pin)


@pytest.mark.parametrize("kind", COUNTING)
def test_another_program_is_there_before_the_host(make_sandbox, kind):
    """After the last look at the state and before the operating host's own: what that one sees must be allowed, too."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    token.wrong_pin()
    with Client(sandbox) as client:
        path = only_path(client)
        expecting = {"final_attempt": True, "expected_retries": 2}
        for options, error in (({}, "FinalAttempt"), (expecting, "RetriesChanged")):
            token.fault("pause C_OpenSession operate")
            changing = client.begin_operation("SetPin", path, sandbox.pin, NEW_PIN, **options)
            token.wait_paused()
            token.wrong_pin()
            with nothing_sent(token), raises(error):
                token.clear_faults()
                client.finish(changing)
            assert token.counters() == {"pin": 1, "puk": 3}
            assert token.login(sandbox.pin)
            token.wrong_pin()
    assert token.login(sandbox.pin)


@pytest.mark.parametrize(
    "kind,refused",
    [("etoken", ["123", "12345678901234567"]), ("opencryptoki", ["123", "123456789"]), ("softhsm", ["123"])],
)
def test_new_pin_of_a_wrong_length_costs_nothing(make_sandbox, kind, refused):
    """Too short or too long: refused before the present PIN goes."""
    sandbox = make_sandbox([kind])
    token = sandbox.token(kind)
    with Client(sandbox) as client:
        path = only_path(client)
        for pin in refused:
            for present in (sandbox.pin, WRONG_PINS[0]):
                with nothing_sent(token), raises("PinPolicy"):
                    client.set_pin(path, present, pin)
    assert token.login(sandbox.pin)


def test_token_refuses_the_new_pin(make_sandbox):
    """The present PIN was right and the token does not want the new one: PinPolicy, and no try is gone."""
    sandbox = make_sandbox(["etoken:refused-new-pins=0123"])
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        path = only_path(client)
        with raises("PinPolicy"):
            client.set_pin(path, sandbox.pin, "0123")
        assert sent(token) == ["C_Login", "C_SetPIN"]
        assert token.counters() == {"pin": 3, "puk": 3}
        check(client.status(path), tries("pin", "ok", 3, "token"))
        client.set_pin(path, sandbox.pin, NEW_PIN)
    assert token.sign(NEW_PIN)


@pytest.mark.parametrize("profile", ["", BELIEVED], ids=["login-first", "believed"])
def test_new_pin_refused_by_a_token_that_shows_nothing(make_sandbox, profile):
    """That the PIN is right is known where it was logged in with; then no try is said to be lost, nor recorded."""
    sandbox = make_sandbox(["etoken:refused-new-pins=0123"])
    restart_with_profile(sandbox, "etoken", profile)
    token = only_token(sandbox)
    token.fault("no-pin-flags", "no-vendor-objects")
    with Client(sandbox) as client:
        path = only_path(client)
        with raises("PinPolicy") as caught:
            client.set_pin(path, sandbox.pin, "0123")
        assert ("The PIN is right" in caught[0].message) == (profile == "")
        assert ("not known" in caught[0].message) == (profile == BELIEVED)
    assert token.counters() == {"pin": 3, "puk": 3}
    sandbox.stop_tokend()
    assert recorded(sandbox).get("pin-pending") == (None if profile == "" else "1")


FORM_COMPLAINTS = ["CKR_PIN_INVALID", "CKR_PIN_LEN_RANGE", "CKR_PIN_TOO_WEAK"]


@pytest.mark.parametrize("answer", FORM_COMPLAINTS)
@pytest.mark.parametrize("kind", COUNTING)
def test_wrong_pin_answered_as_a_bad_new_one(make_sandbox, kind, answer):
    """The counter that the token shows says what it was: PinIncorrect, one try, and not sent again."""
    sandbox = make_sandbox([kind])
    restart_with_profile(sandbox, "etoken", BELIEVED)
    token = only_token(sandbox)
    source = "token" if kind == "etoken" else "flags"
    token.fault(f"error C_SetPIN 1 {answer} operate after")
    with Client(sandbox) as client:
        path = only_path(client)
        with raises("PinIncorrect"):
            client.set_pin(path, WRONG_PINS[0], NEW_PIN)
        assert token.counters() == {"pin": 2, "puk": 3}
        check(client.refresh(path), tries("pin", "low", 2, source))
        with nothing_sent(token), raises("AlreadyRefused"):
            client.set_pin(path, WRONG_PINS[0], NEW_PIN)
        sandbox.stop_tokend()
        assert recorded(sandbox)["pin-spent"] == "1" and "pin-pending" not in recorded(sandbox)
        sandbox.start_tokend()
        token.clear_faults()
        client.set_pin(only_path(client), sandbox.pin, NEW_PIN)
    assert token.login(NEW_PIN)


@pytest.mark.parametrize("answer", FORM_COMPLAINTS)
def test_bad_new_pin_of_a_token_that_shows_nothing(make_sandbox, answer):
    """Whether the present PIN was right cannot be known: it counts as spent, and the last one does not go unasked."""
    sandbox = make_sandbox(["etoken"])
    restart_with_profile(sandbox, "etoken", BELIEVED)
    token = only_token(sandbox)
    mute = ("no-pin-flags", "no-vendor-objects")
    token.fault(*mute, f"error C_SetPIN 1 {answer} operate after")
    with Client(sandbox) as client:
        path = only_path(client)
        for wrong, left, state in (WRONG_PINS[0], 2, "ok"), (WRONG_PINS[1], 1, "unknown"):
            with raises("PinPolicy") as caught:
                client.set_pin(path, wrong, NEW_PIN)
            assert "not known" in caught[0].message and "ask the status" in caught[0].message
            assert token.counters() == {"pin": left, "puk": 3}
            check(client.refresh(path), tries("pin", state), record("pin", None, 3 - left))
        assert recorded(sandbox)["pin-pending"] == "2"
        with nothing_sent(token), raises("FinalAttempt"):
            client.set_pin(path, WRONG_PINS[2], NEW_PIN)
        token.fault(*mute)
        client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
        check(client.refresh(path), tries("pin", "ok", 3, "flags"))
        wait_until(lambda: not recorded(sandbox), what="the outcome in the ledger")


def test_bad_new_pin_of_a_token_with_a_number(make_sandbox):
    """What does not fall says that no try was spent, and so does the reply; nothing stays in the record."""
    sandbox = make_sandbox(["etoken:refused-new-pins=0123"])
    token = only_token(sandbox)
    token.wrong_pin()
    with Client(sandbox) as client:
        path = only_path(client)
        with raises("PinPolicy") as caught:
            client.set_pin(path, sandbox.pin, "0123")
        assert "no try was spent" in caught[0].message
        check(client.refresh(path), tries("pin", "ok", 3, "token"))
        wait_until(lambda: not recorded(sandbox), what="the outcome in the ledger")
        client.set_pin(path, sandbox.pin, NEW_PIN)
    assert token.login(NEW_PIN)
