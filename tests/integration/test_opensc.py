# SPDX-License-Identifier: LGPL-2.1-or-later
"""OpenSC's ways to unlock, and what became of the codes.

A card's own counters and its own record of commands are the truth.
"""

import glob
import shutil

import pytest
from desktop import Desktop
from sandbox import FOLDER, LIBRARY, PYTHON, wait_until
from support import (
    Client,
    bind,
    check,
    held_at_the_record,
    held_hosts,
    nothing_sent,
    only_token,
    raises,
    record,
    relays_have_ended,
    restart_with_profile,
    sent,
    told_by_card,
    tries,
)

NEW_PIN = "654321"
WRONG_PINS = ("111111", "222222", "333333")
WRONG_PUKS = ("11111111", "22222222", "33333333", "44444444", "55555555")
KINDS = ["openpgp-card", "openpgp-card:wrong-code=63cx", "piv-card", "pkcs15-card", "pkcs15-card:so-pin=yes"]
# The commands with a code in them that an unlock takes. The Admin PIN of an OpenPGP card, as the SO PIN of another, is
# verified first.
COMMANDS = {
    "openpgp-card": ["VERIFY", "RESET-RETRY-COUNTER"],
    "openpgp-card:wrong-code=63cx": ["VERIFY", "RESET-RETRY-COUNTER"],
    "piv-card": ["RESET-RETRY-COUNTER"],
    "pkcs15-card": ["RESET-RETRY-COUNTER"],
    "pkcs15-card:so-pin=yes": ["VERIFY", "RESET-RETRY-COUNTER"],
}
OLD = "openpgp-card:version=2.1"
(OPENSC,) = glob.glob("/usr/lib/*/opensc-pkcs11.so")
CONFIGURATION = "/usr/share/tokend/opensc"
SYSTEMS_OWN = "/etc/opensc"
OTHER_SLOT = "OpenPGP card (User PIN (sig))"


def path_of(client, token):
    """Subscribes; returns the path of the token with this one's label."""
    client.subscribe()
    (path,) = [path for path in client.tokens() if client.status(path)["label"] == token.label]
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sent(make_sandbox, kind):
    """For the right PUK no command more than it takes; for a wrong one a single one, which costs one try of the PUK and
    none of the PIN, and is told as that."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    full = token.counters()
    with Client(sandbox) as client:
        path = path_of(client, token)
        with raises("PukIncorrect"):
            client.unlock(path, WRONG_PUKS[0], NEW_PIN, final_attempt=True)
        assert sent(token) == COMMANDS[kind][:1]
        assert token.counters() == full | {"puk": full["puk"] - 1}
        client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
        assert sent(token)[1:] == COMMANDS[kind]
        assert token.counters() == full
    assert token.login(NEW_PIN)


@pytest.mark.parametrize("kind", ["openpgp-card", "piv-card", "pkcs15-card"])
def test_locked_puk(make_sandbox, kind):
    """Each wrong PUK costs one try; that it is locked is told as soon as the card lets it be seen, and kept; and the
    PIN, whose flags OpenSC may have taken the PUK's tries for, is as it was."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    maximum = token.counters()["puk"]
    is_telling = kind == "openpgp-card"
    pin = {"pin-state": "unknown" if kind == "pkcs15-card" else "ok"}
    with Client(sandbox) as client:
        path = path_of(client, token)
        for number, wrong in enumerate(WRONG_PUKS[:maximum], 1):
            left = maximum - number
            # The last one of a PKCS #15 card is answered as any other to a locked one.
            with raises("PukLocked" if kind == "pkcs15-card" and left == 0 else "PukIncorrect"):
                client.unlock(path, wrong, NEW_PIN, final_attempt=True)
            assert token.counters() == {"pin": 3, "puk": left}
            status = client.refresh(path)
            check(status, pin)
            if is_telling:
                check(status, told_by_card("puk", left), record("puk", number))
            elif kind == "pkcs15-card" and left < 2:
                check(status, {"puk-state": "unknown", "puk-last-seen": "final-try" if left else "locked"})
            else:
                check(status, tries("puk", "unknown", maximum=None), record("puk", number))
        assert len(sent(token)) == maximum

        with raises("PukLocked"):
            client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
        assert token.counters() == {"pin": 3, "puk": 0}
        assert len(sent(token)) == maximum + (not is_telling)
        if not is_telling:
            check(client.refresh(path), {"puk-state": "unknown", "puk-last-seen": "locked"}, pin)
        with nothing_sent(token), raises("PukLocked" if is_telling else "FinalAttempt"):
            client.unlock(path, sandbox.puk, NEW_PIN)
    assert token.login(sandbox.pin)


def test_a_try_that_only_our_host_saw(make_sandbox):
    """A PKCS #15 card tells of its last PIN try nobody but the process that tried: it outlives the watch's next look,
    and a restart."""
    sandbox = make_sandbox(["pkcs15-card"])
    token = only_token(sandbox)
    wanted = tries("pin", "unknown", maximum=None) | record("pin", 2, None, "final-try")
    with Client(sandbox) as client:
        path = path_of(client, token)
        for wrong in WRONG_PINS[:2]:
            with raises("PinIncorrect"):
                client.set_pin(path, wrong, NEW_PIN, final_attempt=True)
        assert token.flags() == set(), "a fresh process sees nothing"
        for _ in range(3):
            check(client.refresh(path), wanted)
        with nothing_sent(token), raises("FinalAttempt"):
            client.set_pin(path, sandbox.pin, NEW_PIN)
    sandbox.stop_tokend()
    sandbox.start_tokend()
    with Client(sandbox) as client:
        path = path_of(client, token)
        check(client.refresh(path), wanted)
        client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
        check(client.refresh(path), tries("pin", "unknown", maximum=None))
    assert token.counters() == {"pin": 3, "puk": 5}


@pytest.mark.parametrize("faults", [[], ["error VERIFY 1 6F00"], ["garbage VERIFY 1 half-status"]])
@pytest.mark.parametrize("kind", ["openpgp-card", "piv-card"])
def test_another_program_leaves_the_last_try(make_sandbox, kind, faults):
    """While the try is recorded. Also if the card is disturbed when it is then asked what is left, and OpenSC says what it was
    before, nothing is sent."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = path_of(client, token)
        token.wrong_pin()
        client.unsubscribe()
        with held_at_the_record(sandbox) as wait:
            changing = client.begin_operation("SetPin", path, sandbox.pin, NEW_PIN)
            wait()
            token.wrong_pin()
            token.fault(*faults)
        with nothing_sent(token), raises("RetriesChanged", "FinalAttempt"):
            client.finish(changing)
        token.clear_faults()
        assert token.counters() == {"pin": 1, "puk": 3}
        client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
    assert token.login(NEW_PIN)


def test_a_card_that_never_says_what_is_left(make_sandbox):
    """OpenSC shows it as one with tries to spare. What it answered to our own wrong codes is known all the same."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    token.fault("error VERIFY * 6F00")
    with Client(sandbox) as client:
        path = path_of(client, token)
        for wrong in WRONG_PINS[:2]:
            with raises("PinIncorrect"):
                client.set_pin(path, wrong, NEW_PIN)
        assert token.counters() == {"pin": 1, "puk": 3}
        assert token.flags() == set()
        check(client.refresh(path), tries("pin", "unknown", maximum=None), record("pin", 2, None, "final-try"))
        with nothing_sent(token), raises("FinalAttempt"):
            client.set_pin(path, sandbox.pin, NEW_PIN)
        client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
        check(client.refresh(path), tries("pin", "ok", maximum=None))
    assert token.counters() == {"pin": 3, "puk": 3}


@pytest.mark.parametrize("is_asked", [True, False])
def test_an_openpgp_card_that_opensc_cannot_ask(make_sandbox, is_asked):
    """Of one before version 3.1 OpenSC, up to 0.26, takes the Admin PIN's tries for those of one label, and the resetting code's
    for those of the other: neither proves that a try of the PIN remains, or that none does. The card itself tells."""
    sandbox = make_sandbox([OLD])
    token = only_token(sandbox)
    if not is_asked:
        ask_nothing(sandbox)
    token.wrong_pin(2)
    with Client(sandbox) as client:
        path = path_of(client, token)
        for any_path in client.tokens():
            check(client.refresh(any_path), told_by_card("pin", 1) if is_asked else {"pin-state": "unknown"})
        with nothing_sent(token), raises("FinalAttempt"):
            client.set_pin(path, WRONG_PINS[0], NEW_PIN)


def ask_nothing(sandbox):
    """The administrator says that OpenPGP cards are not to be asked."""
    restart_with_profile(sandbox, "opensc-openpgp", "[Ask]\nWay=none\n")


def test_our_own_tries_on_such_a_card(make_sandbox):
    """What one label shows does not settle what is recorded of the other: we know what we sent."""
    sandbox = make_sandbox([OLD])
    token = only_token(sandbox)
    ask_nothing(sandbox)
    with Client(sandbox) as client:
        path = path_of(client, token)
        for wrong in WRONG_PINS[:2]:
            with raises("PinIncorrect"):
                client.set_pin(path, wrong, NEW_PIN, final_attempt=True)
        assert token.counters() == {"pin": 1, "puk": 3}
        for _ in range(3):
            client.refresh(path)
        assert "pin-spent=2" in sandbox.read_file("/var/lib/tokend/ledger")
        with nothing_sent(token), raises("FinalAttempt"):
            client.set_pin(path, WRONG_PINS[2], NEW_PIN)


def test_a_lock_is_no_proof_against_a_code(make_sandbox):
    """A locked PKCS #15 card calls the right PIN wrong: it is not remembered as refused."""
    sandbox = make_sandbox(["pkcs15-card"])
    token = only_token(sandbox)
    token.wrong_pin(3)
    with Client(sandbox) as client:
        path = path_of(client, token)
        for _ in range(2):
            with raises("PinLocked"):
                client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
        assert sent(token)[-2:] == ["CHANGE-REFERENCE-DATA"] * 2


def test_a_locked_admin_pin_that_looks_like_a_wrong_one(make_sandbox):
    """There are OpenPGP cards that answer a locked password as a wrong one, and OpenSC shows nothing of the Admin PIN: unless the
    card is asked it is not known, and never said, to be locked. No more is sent than the caller wants."""
    sandbox = make_sandbox(["openpgp-card:locked-code=6982"])
    token = only_token(sandbox)
    ask_nothing(sandbox)
    with Client(sandbox) as client:
        path = path_of(client, token)
        for left, puk in zip((2, 1, 0, 0), (*WRONG_PUKS[:3], sandbox.puk)):
            with raises("PukIncorrect"):
                client.unlock(path, puk, NEW_PIN, final_attempt=True)
            assert token.counters() == {"pin": 3, "puk": left}
            check(client.refresh(path), tries("puk", "unknown", maximum=None), tries("pin", "ok", maximum=None))
        assert token.codes_sent() == [("VERIFY", "6982")] * 4
        with nothing_sent(token), raises("AlreadyRefused"):
            client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
        with nothing_sent(token), raises("FinalAttempt"):
            client.unlock(path, WRONG_PUKS[3], NEW_PIN)
        # The PIN's own lock is asked of the card.
        token.wrong_pin(3)
        with nothing_sent(token), raises("PinLocked"):
            client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)


def test_a_length_that_opensc_refuses(make_sandbox):
    """An Admin PIN has eight characters at least, which the token does not tell: no command, no try, and no doubt. The
    profile tells it; with the word OpenSC is asked, and tells it, too."""
    sandbox = make_sandbox(["openpgp-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = path_of(client, token)
        with nothing_sent(token), raises("InvalidArgs") as caught:
            client.unlock(path, "1234567", NEW_PIN, final_attempt=True)
        assert "The PUK is too short: it takes at least 8 bytes" in caught[0].message
        with nothing_sent(token), raises("InvalidArgs") as caught:
            client.unlock(path, "1234567", NEW_PIN, final_attempt=True, send_unusual_code=True)
        assert "length" in caught[0].message
        check(client.refresh(path), told_by_card("puk", 3), told_by_card("pin", 3))
        client.unlock(path, sandbox.puk, NEW_PIN)


@pytest.mark.parametrize(
    "kind,new_pins",
    [
        ("openpgp-card", ["12345", "1" * 128]),
        ("piv-card", ["12345", "123456789", "abcdef"]),
        ("pkcs15-card", ["123", "1" * 17]),
    ],
)
def test_a_new_pin_that_is_none_for_the_card(make_sandbox, kind, new_pins):
    """Too short or too long, or, for a PIV card, not of digits: refused before PUK or PIN are sent, right or wrong."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = path_of(client, token)
        for new_pin in new_pins:
            for puk, pin in ((sandbox.puk, sandbox.pin), (WRONG_PUKS[0], WRONG_PINS[0])):
                with nothing_sent(token), raises("PinPolicy"):
                    client.unlock(path, puk, new_pin, final_attempt=True)
                with nothing_sent(token), raises("PinPolicy"):
                    client.set_pin(path, pin, new_pin, final_attempt=True)
    assert token.login(sandbox.pin)


@pytest.mark.parametrize("protocol", ["1", "0"])
def test_a_card_that_wants_hashes(make_sandbox, protocol):
    """Before a code is asked for: OpenSC, before 0.27, would send the right one in clear, and the card count it as wrong."""
    sandbox = make_sandbox([f"openpgp-card:kdf=on,protocol={protocol}"])
    token = only_token(sandbox)
    assert not token.login(sandbox.pin)
    assert token.counters() == {"pin": 2, "puk": 3}
    with Client(sandbox) as client:
        path = path_of(client, token)
        status = client.status(path)
        check(status, {"can-set-pin": False, "can-unlock": False}, tries("pin", "ok", 2, "token", None))
        assert "KDF" in status["unsupported"]
        for operation, code in ((client.set_pin, sandbox.pin), (client.unlock, sandbox.puk)):
            with nothing_sent(token), raises("NotSupported") as caught:
                operation(path, code, NEW_PIN, final_attempt=True)
            assert "KDF" in caught[0].message
    with nothing_sent(token):
        setting = ["set-pin", "--pin-fd", "{pin}", "--new-pin-fd", "{new}", token.label]
        finished = sandbox.tokenctl("alice", *setting, codes={"pin": sandbox.pin, "new": NEW_PIN})
    assert finished.returncode == 1
    assert "KDF" in finished.stderr and "no try was spent" in finished.stderr
    assert "KDF" in sandbox.tokenctl("alice", "status", "--verbose").stdout


@pytest.mark.parametrize("times", [6, 1000])
def test_a_card_that_does_not_say_whether_it_wants_hashes(make_sandbox, times):
    """It may: also where it says so at the last look alone, no code goes out."""
    sandbox = make_sandbox([f"openpgp-card:kdf=on,unread-kdf={times}"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = path_of(client, token)
        with nothing_sent(token), raises("NotSupported", "ModuleFailed"):
            client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
    assert token.counters() == {"pin": 3, "puk": 3}


def test_a_card_that_could_want_hashes(make_sandbox):
    """KDF-DO says that it does not: the PIN is changed."""
    sandbox = make_sandbox(["openpgp-card:kdf=off"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.set_pin(path_of(client, token), sandbox.pin, NEW_PIN)
    assert token.login(NEW_PIN)


def test_two_tokens_of_one_card(make_sandbox):
    """What is spent and set at one of an OpenPGP card's is so at the other; tokenctl says that they are one card."""
    sandbox = make_sandbox(["openpgp-card"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        assert paths.keys() == {token.label, OTHER_SLOT}
        # One operation on either
        with held_hosts(sandbox):
            changing = client.begin_operation("SetPin", paths[token.label], sandbox.pin, NEW_PIN)
            wait_until(lambda: not relays_have_ended(sandbox), what="the connection to the operating host")
            for path in paths.values():
                with nothing_sent(token), raises("Busy"):
                    client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
        client.finish(changing)
        for wrong, label in zip(WRONG_PINS, (token.label, OTHER_SLOT, token.label)):
            with raises("PinIncorrect"):
                client.set_pin(paths[label], wrong, NEW_PIN, final_attempt=True)
        for path in paths.values():
            assert client.refresh(path)["pin-state"] == "locked"
        # One record of refused codes for both
        with raises("PukIncorrect"):
            client.unlock(paths[token.label], WRONG_PUKS[0], NEW_PIN, final_attempt=True)
        with nothing_sent(token), raises("AlreadyRefused"):
            client.unlock(paths[OTHER_SLOT], WRONG_PUKS[0], NEW_PIN, final_attempt=True)

        shown = sandbox.tokenctl("alice", "status").stdout
        assert shown.count("the same card as ") == 1
        assert shown.count("Unlock it with the Admin PIN") == 1
        codes = {"puk": sandbox.puk, "new": NEW_PIN}
        unlocking = ["unlock", "--final-attempt", "--puk-fd", "{puk}", "--new-pin-fd", "{new}"]
        # Both are the one PIN that there is, so neither has to be named.
        for named in ([], [OTHER_SLOT]):
            done = sandbox.tokenctl("alice", *unlocking, *named, codes=codes)
            assert done.returncode == 0, done.stderr
        for path in paths.values():
            check(client.refresh(path), told_by_card("pin", 3))
    assert token.counters() == {"pin": 3, "puk": 3}


def test_one_notification_a_card(make_sandbox):
    """Both tokens of an OpenPGP card are locked at once: a person is told once, and the notification is one."""
    sandbox = make_sandbox(["openpgp-card"])
    token = only_token(sandbox)
    with Desktop(sandbox) as desktop:
        desktop.start_notify()
        token.wrong_pin(2)
        note = desktop.wait_note(1)
        assert "one PIN try is left" in note.title
        number = note.id
        token.wrong_pin()
        note = desktop.wait_note(2)
        assert "the PIN is locked" in note.title and note.title.startswith("OpenPGP card (User PIN")
        assert (note.replaces, note.id) == (number, number)
        desktop.screenshot("openpgp-card-locked")
        with Client(sandbox) as client:
            client.subscribe()
            for path in client.tokens():
                assert client.refresh(path)["pin-state"] == "locked"
        assert len(desktop.notes) == 2


def test_the_systems_configuration_is_of_no_account(make_sandbox):
    """It may say that C_SetPIN unlocks: a PIN change would then try the PIN as a PUK. It is neither read nor
    touched."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    folder = f"{FOLDER}/opensc"
    own = f"{folder}/opensc.conf"
    sandbox.run("root", ["mkdir", "-p", folder])
    shutil.copy(sandbox.path(f"{CONFIGURATION}/set-pin.conf"), sandbox.path(own))
    bind(sandbox, folder, SYSTEMS_OWN)
    before = sandbox.read_file(own)
    sandbox.stop_tokend()
    sandbox.start_tokend()
    # That it would be of account is seen by another program.
    argv = [PYTHON, f"{LIBRARY}/pkcs11.py", token.module, "set-pin", token.label]
    assert sandbox.run("alice", argv, stdin=f"{WRONG_PINS[1]}\n{NEW_PIN}\n").stdout.strip() == "CKR_PIN_INCORRECT"
    assert token.counters() == {"pin": 3, "puk": 2}

    with Client(sandbox) as client:
        path = path_of(client, token)
        with raises("PinIncorrect"):
            client.set_pin(path, WRONG_PINS[0], NEW_PIN)
        assert token.counters() == {"pin": 2, "puk": 2}
        client.set_pin(path, sandbox.pin, NEW_PIN)
        assert token.counters() == {"pin": 3, "puk": 2}
        client.unlock(path, sandbox.puk, sandbox.pin, final_attempt=True)
        assert token.counters() == {"pin": 3, "puk": 3}
    assert sandbox.read_file(own) == before


def restart_with_words(sandbox, words):
    """The administrator tells OpenSC which cards to leave alone."""
    folder = f"{FOLDER}/opensc"
    sandbox.run("root", ["mkdir", "-p", folder])
    sandbox.write_file(f"{folder}/opensc.conf", f"app default {{\n  {words};\n}}\n")
    sandbox.stop_tokend()
    bind(sandbox, folder, SYSTEMS_OWN)


@pytest.mark.parametrize("words", ['ignored_readers = "PCD 00 01", Nothing', "card_drivers = openpgp"])
def test_a_card_that_is_to_be_left_alone(make_sandbox, words):
    """By its reader, or by its kind: it is not shown, nobody operates on it, and the other one is served as ever. What is in a
    reader that is to be left alone gets no command from us, and makes nobody doubt."""
    sandbox = make_sandbox(["openpgp-card", "piv-card"])
    token, alone = sandbox.tokens.values()
    restart_with_words(sandbox, words)
    before = alone.calls()
    sandbox.start_tokend()
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        assert paths.keys() == {token.label, OTHER_SLOT}
        with nothing_sent(alone):
            client.set_pin(paths[token.label], sandbox.pin, NEW_PIN)
        if "readers" in words:
            assert "reason" not in client.modules()[0]
            assert alone.calls() == before
    assert token.login(NEW_PIN)


@pytest.mark.parametrize("operation", ["unlock", "set_pin"])
def test_a_configuration_that_is_missing(make_sandbox, operation):
    """OpenSC would go on without a word, and take one code for the other: nothing is sent."""
    sandbox = make_sandbox(["piv-card"])
    token = only_token(sandbox)
    sandbox.run("root", ["mkdir", "-p", f"{FOLDER}/nothing"])
    with Client(sandbox) as client:
        path = path_of(client, token)
        bind(sandbox, f"{FOLDER}/nothing", CONFIGURATION)
        with nothing_sent(token), raises("ModuleFailed") as caught:
            getattr(client, operation)(path, sandbox.puk, NEW_PIN, final_attempt=True)
        assert CONFIGURATION in caught[0].message


@pytest.mark.parametrize("kind", ["openpgp-card", "piv-card", "pkcs15-card:so-pin=yes"])
def test_a_way_that_is_not_openscs(make_sandbox, kind):
    """A profile of the administrator's that forgets what the library is: the PUK could be tried, and nothing unlocked."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        status = client.status(path_of(client, token))
    profile = "[Match]\nFiles=opensc-pkcs11.so*\nManufacturers={manufacturer}\nModels={model}\n".format_map(status)
    restart_with_profile(sandbox, "aaa", f"{profile}[Unlock]\nWay=so-login-init-pin\n")
    with Client(sandbox) as client:
        path = path_of(client, token)
        assert client.status(path)["module-profile"] == "aaa"
        with nothing_sent(token), raises("NotSupported") as caught:
            client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
        assert "Library=opensc" in caught[0].message


def test_opensc_by_another_name(make_sandbox, tmp_path):
    """No profile names the library: it has the system's configuration, whatever that is, and no code is sent to it."""
    shutil.copy(OPENSC, tmp_path / "libother.so")
    sandbox = make_sandbox(["piv-card"], modules={"other": str(tmp_path / "libother.so")})
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        statuses = {path: client.status(path) for path in client.tokens()}
        (path,) = [path for path, status in statuses.items() if status["module"] == "other"]
        assert "module-profile" not in statuses[path]
        with nothing_sent(token), raises("NotSupported") as caught:
            client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
        assert "Library=opensc" in caught[0].message
