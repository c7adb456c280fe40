# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unlock: a new PIN by the PUK, and never a PUK try that could have been saved."""

import pytest
from support import (
    WRONG_PUKS,
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
    says,
    sent,
    tries,
)

KINDS = ["etoken", "opencryptoki", "softhsm"]
COUNTING = ["etoken", "etoken:vendor-objects=false", "opencryptoki"]
NEW_PIN = "4321"

# An administrator who trusts nothing about the token's flags; with the faults below, none of its counters is seen.
NO_FLAGS = "[PIN]\nFlags=none\n[PUK]\nFlags=none\n"
NO_COUNTERS = ("no-so-flags", "no-vendor-objects")
# No token is of this kind any more: the eToken's module is left without a profile.
NO_PROFILE = "[Match]\nManufacturers=Nobody\n"


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "not-locked"])
@pytest.mark.parametrize("kind", KINDS)
def test_right_puk(make_sandbox, kind, locked):
    """The new PIN works in another program and the old one does not; certificate and key are there and sign."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    if locked:
        token.wrong_pin(3)
        assert token.counters()["pin"] == ("low" if kind == "softhsm" else 0)
    with Client(sandbox) as client:
        path = only_path(client)
        before = client.status(path)
        if locked and kind != "softhsm":
            assert before["pin-state"] == "locked"
        status = client.unlock(path, sandbox.puk, NEW_PIN)
        assert (status["pin-state"], status["puk-state"]) == ("ok", "ok")
        assert status["read-at"] > before["read-at"]
        assert client.refresh(path)["pin-state"] == "ok"

    if kind == "softhsm":
        assert token.counters() == {"pin": "ok", "puk": "ok"}
    else:
        assert token.counters() == {"pin": 3, "puk": 3}
        check(status, tries("pin", "ok", 3, "token" if kind == "etoken" else "flags"))
    if kind == "etoken":
        assert sent(token) == ["C_Login", "C_InitPIN"]
        assert token.has_certificate()
        assert token.sign(NEW_PIN)
    assert token.login(NEW_PIN)
    assert not token.login(sandbox.pin)


@pytest.mark.parametrize("kind", COUNTING)
def test_wrong_puk_costs_one_try_once(make_sandbox, kind):
    """PukIncorrect, one try; the same PUK again is not sent, until somebody wants that or the counter has risen."""
    sandbox = make_counting(make_sandbox, kind)
    token = only_token(sandbox)
    wrong = WRONG_PUKS[0]
    with Client(sandbox) as client:
        path = only_path(client)
        with raises("PukIncorrect"):
            client.unlock(path, wrong, NEW_PIN)
        assert token.counters() == {"pin": 3, "puk": 2}
        check(client.status(path), tries("puk", "low", 2, client.status(path)["puk-retries-source"]))
        for _ in range(2):
            with nothing_sent(token), raises("AlreadyRefused"):
                client.unlock(path, wrong, NEW_PIN)

        with raises("PukIncorrect"):
            client.unlock(path, wrong, NEW_PIN, send_refused_code=True)
        assert token.counters() == {"pin": 3, "puk": 1}
        # The last try is the last try, whatever else is allowed.
        with nothing_sent(token), raises("FinalAttempt"):
            client.unlock(path, wrong, NEW_PIN, send_refused_code=True)
        with nothing_sent(token), raises("AlreadyRefused"):
            client.unlock(path, wrong, NEW_PIN, final_attempt=True)

        assert token.login_so(sandbox.puk)
        assert token.counters() == {"pin": 3, "puk": 3}
        with raises("PukIncorrect"):
            client.unlock(path, wrong, NEW_PIN)
        assert token.counters() == {"pin": 3, "puk": 2}
        # A success makes the service forget likewise.
        client.unlock(path, sandbox.puk, NEW_PIN)
        with raises("PukIncorrect"):
            client.unlock(path, wrong, NEW_PIN)
        assert token.counters() == {"pin": 3, "puk": 2}
    assert token.login(NEW_PIN)


def test_wrong_puk_on_a_token_that_never_locks(make_sandbox):
    """SoftHSM2 counts nothing: any number of wrong PUKs, but none of them twice."""
    sandbox = make_sandbox(["softhsm"])
    token = sandbox.token("softhsm")
    with Client(sandbox) as client:
        path = only_path(client)
        for wrong in WRONG_PUKS + ("44444444",):
            with raises("PukIncorrect"):
                client.unlock(path, wrong, NEW_PIN)
            check(client.status(path), tries("puk", "low", maximum=None))
        for wrong in WRONG_PUKS:
            with nothing_sent(token), raises("AlreadyRefused"):
                client.unlock(path, wrong, NEW_PIN)
        client.unlock(path, sandbox.puk, NEW_PIN)
    assert token.counters() == {"pin": "ok", "puk": "ok"}
    assert token.login(NEW_PIN)


@pytest.mark.parametrize("kind", COUNTING)
def test_last_try_goes_only_when_allowed(make_sandbox, kind):
    """After two wrong PUKs a third is refused and nothing is sent; allowed, it goes, and was the last."""
    sandbox = make_counting(make_sandbox, kind)
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        for wrong in WRONG_PUKS[:2]:
            with raises("PukIncorrect"):
                client.unlock(path, wrong, NEW_PIN)
        assert token.counters()["puk"] == 1
        for puk in (WRONG_PUKS[2], sandbox.puk):
            with nothing_sent(token), raises("FinalAttempt"):
                client.unlock(path, puk, NEW_PIN)
        assert client.status(path)["puk-state"] == "final-try"

        with raises("PukIncorrect"):
            client.unlock(path, WRONG_PUKS[2], NEW_PIN, final_attempt=True)
        assert token.counters()["puk"] == 0
        check(client.status(path), {"puk-state": "locked", "puk-retries-remaining": 0})
        with nothing_sent(token), raises("PukLocked"):
            client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
    if token.kind == "etoken":
        assert not token.has_certificate()


def test_right_puk_at_the_last_try(sandbox):
    """The certificate survives, and all tries are back."""
    token = sandbox.token("etoken")
    token.wrong_pin(3)
    token.wrong_puk(2)
    with Client(sandbox) as client:
        path = only_path(client)
        with nothing_sent(token), raises("FinalAttempt"):
            client.unlock(path, sandbox.puk, NEW_PIN)
        client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
    assert token.counters() == {"pin": 3, "puk": 3}
    assert token.sign(NEW_PIN)


@pytest.mark.parametrize("profile", [None, NO_FLAGS], ids=["the package's profile", "an administrator's"])
def test_no_counters_at_all(sandbox, profile):
    """Where nothing proves that another try remains, every try counts as the last. No flag is no proof for an eToken's PUK."""
    token = sandbox.token("etoken")
    token.fault(*NO_COUNTERS)
    if profile:
        restart_with_profile(sandbox, "etoken", profile)
    with Client(sandbox) as client:
        path = only_path(client)
        check(client.refresh(path), tries("puk", "unknown"), tries("pin", "unknown") if profile else {})
        with nothing_sent(token), raises("FinalAttempt"):
            client.unlock(path, WRONG_PUKS[0], NEW_PIN)
        for left, wrong in ((2, WRONG_PUKS[0]), (1, WRONG_PUKS[1])):
            with raises("PukIncorrect"):
                client.unlock(path, wrong, NEW_PIN, final_attempt=True)
            assert token.counters()["puk"] == left
            with nothing_sent(token), raises("FinalAttempt"):
                client.unlock(path, WRONG_PUKS[2], NEW_PIN)
        # Our own record is all there is, and it may only make things worse.
        check(client.status(path), tries("puk", "unknown"), record("puk", 2))
        client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
        check(client.status(path), tries("puk", "unknown"))
        with nothing_sent(token), raises("FinalAttempt"):
            client.unlock(path, sandbox.puk, NEW_PIN)
    assert token.counters() == {"pin": 3, "puk": 3}
    assert token.sign(NEW_PIN)


@pytest.mark.parametrize("kind", COUNTING)
def test_another_program_spends_a_try_meanwhile(make_sandbox, kind):
    """Between the moment the state was found good and the moment the PUK would go: nothing is sent."""
    sandbox = make_counting(make_sandbox, kind)
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        for left, errors in ((2, ["RetriesChanged"]), (1, ["RetriesChanged", "FinalAttempt"])):
            before = sent(token) if token.kind == "etoken" else None
            with held_at_the_record(sandbox) as wait:
                unlocking = client.begin_operation("Unlock", path, sandbox.puk, NEW_PIN)
                wait()
                token.wrong_puk()
            with raises(*errors):
                client.finish(unlocking)
            assert token.counters() == {"pin": 3, "puk": left}
            assert before is None or sent(token) == before
            assert client.status(path)["puk-retries-remaining"] == left
        client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
    assert token.login(NEW_PIN)


@pytest.mark.parametrize("kind", ["etoken", "etoken:vendor-objects=false"])
def test_another_program_is_there_before_the_host(make_sandbox, kind):
    """After the last look at the state and before the operating host's own: what that one sees must be allowed, too."""
    sandbox = make_counting(make_sandbox, kind)
    token = only_token(sandbox)
    token.wrong_puk()
    with Client(sandbox) as client:
        path = only_path(client)
        expecting = {"final_attempt": True, "expected_retries": 2}
        for options, error in (({}, "FinalAttempt"), (expecting, "RetriesChanged")):
            token.fault("pause C_OpenSession operate")
            unlocking = client.begin_operation("Unlock", path, sandbox.puk, NEW_PIN, **options)
            token.wait_paused()
            token.wrong_puk()
            with nothing_sent(token), raises(error):
                token.clear_faults()
                client.finish(unlocking)
            assert token.counters() == {"pin": 3, "puk": 1}
            assert token.login_so(sandbox.puk)
            token.wrong_puk()
    assert token.login(sandbox.pin) and token.has_certificate()


def test_expected_retries(make_sandbox):
    """Sent only if what the caller saw is what is still there; where no number is known it is not what anybody saw."""
    sandbox = make_sandbox(["etoken", "softhsm"])
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        for expected in (0, 2, 4):
            with nothing_sent(token), raises("RetriesChanged"):
                client.unlock(paths["ETOKEN"], sandbox.puk, NEW_PIN, expected_retries=expected)
        token.wrong_puk()
        with nothing_sent(token), raises("RetriesChanged"):
            client.unlock(paths["ETOKEN"], sandbox.puk, NEW_PIN, expected_retries=3, final_attempt=True)
        client.unlock(paths["ETOKEN"], sandbox.puk, NEW_PIN, expected_retries=2)
        with raises("RetriesChanged"):
            client.unlock(paths["SOFTHSM"], sandbox.puk, NEW_PIN, expected_retries=3)
    assert token.login(NEW_PIN)
    assert sandbox.token("softhsm").login(sandbox.pin)


@pytest.mark.parametrize("kind", ["etoken", "etoken:vendor-objects=false"])
def test_module_without_profile(make_sandbox, kind):
    """Unlock answers NotSupported and says why, to whoever asks and in whatever state; everything else works."""
    sandbox = make_sandbox([kind])
    token = sandbox.token("etoken")
    counts = ":" not in kind
    restart_with_profile(sandbox, "etoken", NO_PROFILE)
    with Client(sandbox) as client:
        path = only_path(client)
        status = client.status(path)
        assert "module-profile" not in status
        assert status["can-unlock"] is False
        if counts:
            check(status, tries("pin", "ok", 3, "token"), tries("puk", "ok", 3, "token"))
        else:
            check(status, tries("pin", "unknown", maximum=None), tries("puk", "unknown", maximum=None))
        for options in ({}, {"final_attempt": True}):
            with nothing_sent(token), raises("NotSupported") as caught:
                client.unlock(path, sandbox.puk, NEW_PIN, **options)
            assert "profile" in caught[0].message

        if not counts:
            with nothing_sent(token), raises("FinalAttempt"):
                client.set_pin(path, sandbox.pin, NEW_PIN)
        client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=not counts)
        assert token.login(NEW_PIN)
        token.wrong_pin(3)
        assert client.refresh(path)["pin-state"] == "locked"

    finished = sandbox.tokenctl(
        "alice", "unlock", "--puk-fd", "{puk}", "--new-pin-fd", "{new}", codes={"puk": sandbox.puk, "new": NEW_PIN}
    )
    assert finished.returncode == 1
    assert "does not know how to unlock" in finished.stderr
    assert token.counters() == {"pin": 0, "puk": 3}


@pytest.mark.parametrize(
    "kind,refused",
    [
        ("etoken", ["123", "12345678901234567"]),
        ("opencryptoki", ["123", "123456789"]),
        ("softhsm", ["123"]),
    ],
)
def test_new_pin_of_a_wrong_length_costs_nothing(make_sandbox, kind, refused):
    """It is refused before the PUK goes; the same PUK then works."""
    sandbox = make_sandbox([kind])
    token = sandbox.token(kind)
    with Client(sandbox) as client:
        path = only_path(client)
        for pin in refused:
            with nothing_sent(token), raises("PinPolicy"):
                client.unlock(path, sandbox.puk, pin)
        client.unlock(path, sandbox.puk, NEW_PIN)
    assert token.login(NEW_PIN)


def test_letters_where_only_digits_are_allowed(sandbox):
    """Refused before the PUK goes, as are the lengths that the administrator set."""
    token = sandbox.token("etoken")
    restart_with_profile(sandbox, "etoken", "[PIN]\nCharacters=digits\nMinimumLength=6\nMaximumLength=8\n")
    with Client(sandbox) as client:
        path = only_path(client)
        status = client.status(path)
        wanted = {"pin-characters": "digits", "pin-minimum-length": 6, "pin-maximum-length": 8}
        assert says(status, wanted), status
        for pin in ("abcdef", "12345x", "12345", "123456789", "١٢٣٤٥٦"):
            with nothing_sent(token), raises("PinPolicy"):
                client.unlock(path, sandbox.puk, pin)
            with nothing_sent(token), raises("PinPolicy"):
                client.set_pin(path, sandbox.pin, pin)
        client.unlock(path, sandbox.puk, "654321")
    assert token.sign("654321")


def test_token_refuses_the_new_pin(make_sandbox):
    """A right PUK, and then the token does not want this PIN: PinPolicy, no try is gone, the old PIN stays."""
    sandbox = make_sandbox(["etoken:refused-new-pins=0123;9876"])
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        path = only_path(client)
        with raises("PinPolicy"):
            client.unlock(path, sandbox.puk, "0123")
        assert sent(token) == ["C_Login", "C_InitPIN"]
        assert token.counters() == {"pin": 3, "puk": 3}
        check(client.status(path), tries("pin", "ok", 3, "token"), tries("puk", "ok", 3, "token"))
        assert token.login(sandbox.pin)
        # The PUK was right: it is not held for a refused one.
        client.unlock(path, sandbox.puk, NEW_PIN)
    assert token.sign(NEW_PIN)


def test_a_refused_puk_stays_refused_when_the_token_comes_back(sandbox):
    """Unplugged, plugged in again, shown by a restarted host: the counter did not rise, so the PUK is not sent again."""
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        path = only_path(client)
        with raises("PukIncorrect"):
            client.unlock(path, WRONG_PUKS[0], NEW_PIN)
        client.status(path)

        token.fault("vanish")
        client.wait_signal("InterfacesRemoved")
        token.clear_faults()
        client.wait_signal("InterfacesAdded")
        path = only_path(client)
        with nothing_sent(token), raises("AlreadyRefused"):
            client.unlock(path, WRONG_PUKS[0], NEW_PIN)
        assert token.counters() == {"pin": 3, "puk": 2}


def test_puk_that_only_the_counter_calls_wrong(make_sandbox):
    """A module that accepts any PUK at login, and has another word for a wrong one when the new PIN is set: the counter
    says what it was. What was refused before is refused still."""
    sandbox = make_sandbox(["etoken"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        with raises("PukIncorrect"):
            client.unlock(path, WRONG_PUKS[0], NEW_PIN)
        token.fault("error C_Login 1 CKR_OK operate after", "error C_InitPIN 1 CKR_PIN_INVALID operate")
        with raises("PukIncorrect"):
            client.unlock(path, WRONG_PUKS[1], NEW_PIN)
        token.clear_faults()
        assert token.counters() == {"pin": 3, "puk": 1}
        for puk in (WRONG_PUKS[1], WRONG_PUKS[0]):
            with nothing_sent(token), raises("AlreadyRefused"):
                client.unlock(path, puk, NEW_PIN, final_attempt=True)
    assert token.has_certificate()
