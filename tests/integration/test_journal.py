# SPDX-License-Identifier: LGPL-2.1-or-later
"""The journal as an audit trail: by the real journald, who did what to which token, what it cost, and what is left."""

import contextlib
import os
import re
import signal
import time

import pytest
from client import NEEDS_PERSON, Client
from journal import Journal
from sandbox import SOURCE, wait_until
from support import (
    ADMIN_PROFILES,
    ETOKEN,
    held_at_the_record,
    logind,
    only_path,
    only_token,
    raises,
    restart_with_profile,
    sent,
    trust_puk_flags,
)
from support import Client as CodeFeeder

PIN, PUK, NEW_PIN = "1234", "12345678", "4321"
WRONG, WRONG_PIN = "87654321", "8765"
LEDGER = "/var/lib/tokend/ledger"
# A token that shows neither a number nor a flag of its PUK
MUTE = ("no-so-flags", "no-vendor-objects")
KINDS = ("etoken", "opencryptoki", "softhsm")
NOTICE, WARNING = "5", "4"
REFUSALS_A_MINUTE = 20
# Of what one token shows of one role, in ten minutes.
TOLD_OF_ROLE = 10

with open(f"{SOURCE}/service/journal/journal.h", encoding="utf-8") as header:
    IDS = dict(re.findall(r'^#define TOKEND_MESSAGE_(\w+) "(\w+)"$', header.read(), re.MULTILINE))


@contextlib.contextmanager
def journal_of(sandbox):
    """The sandbox's journal, in which nothing is worse than a warning, and all is structured."""
    with Journal(sandbox) as journal:
        yield journal
        entries = journal.entries()
        assert not [entry for entry in entries if entry["PRIORITY"] < WARNING]
        assert {entry["_TRANSPORT"] for entry in entries} == {"journal"}


@pytest.fixture(name="journal")
def fixture_journal(sandbox):
    with journal_of(sandbox) as journal:
        yield journal


@pytest.fixture(name="alice")
def fixture_alice(sandbox, journal):  # pylint: disable=unused-argument
    """A client of the bus; tokend was started again for the journal."""
    with Client(sandbox, "alice") as alice:
        yield alice


def fields_of(entry):
    """What an entry says of ours, and how grave it is."""
    fields = {key.removeprefix("TOKEND_").lower(): text for key, text in entry.items() if key.startswith("TOKEND_")}
    (kind,) = [name for name, message_id in IDS.items() if message_id == entry["MESSAGE_ID"]]
    return fields | {"kind": kind, "priority": entry["PRIORITY"]}


def check(entry, **wanted):
    """The entry has these fields; None: not this one."""
    fields = fields_of(entry)
    assert {key: fields.get(key) for key in wanted} == wanted, entry


def last(journal, kind, number=1):
    """Waits for so many entries of a kind; returns the last one, with no more than these there."""
    found = journal.wait_entries(number, MESSAGE_ID=IDS[kind])
    assert len(found) == number, found
    return found[-1]


def left(token, role):
    """The tries that the token itself says are left, as a field has them."""
    counter = token.counters()[role.lower()]
    return str(counter) if isinstance(counter, int) else None


@pytest.mark.parametrize("kind", KINDS)
def test_an_operation_that_ends(make_sandbox, kind):
    """Done, a wrong code, a code that was refused before: who, what, on which token, what it cost, what is left."""
    sandbox = make_sandbox(tokens=[kind])
    token = only_token(sandbox)
    with journal_of(sandbox) as journal, Client(sandbox, "alice") as alice:
        path = alice.find(token.label)
        counted_pin = {"etoken": "yes", "opencryptoki": "no", "softhsm": "yes"}[kind]
        for number, (method, role, code, new_pin, wanted, words) in enumerate(
            (
                ("Unlock", "PUK", WRONG, NEW_PIN, ("TOKEN_REFUSED", "PukIncorrect", "yes"), "wrong PUK"),
                ("Unlock", "PUK", WRONG, NEW_PIN, ("ALREADY_REFUSED", "AlreadyRefused", "no"), "nothing was sent: "),
                ("Unlock", "PUK", PUK, NEW_PIN, ("DONE", "Done", "no"), "done"),
                ("SetPin", "PIN", WRONG_PIN, PIN, ("TOKEN_REFUSED", "PinIncorrect", counted_pin), "wrong PIN"),
                ("SetPin", "PIN", NEW_PIN, PIN, ("DONE", "Done", "no"), "done"),
                ("SetPin", "PIN", PIN, "12\n4", ("NOT_SENT", "PinPolicy", "no"), "nothing was sent: "),
            )
        ):
            before = token.counters()
            alice.call(method, code, new_pin, path=path)
            # It is there before the reply.
            entries = journal.entries(TOKEND_UID=str(sandbox.user_id("alice")))
            assert len(entries) == number + 1
            message, outcome, spent = wanted
            check(
                entries[-1],
                kind=message,
                priority=NOTICE,
                operation=method,
                role=role,
                label=token.label,
                module=kind,
                pid=str(alice.number),
                session=None,
                outcome=outcome,
                spent=spent,
                retries=left(token, role),
            )
            assert entries[-1]["_UID"] == str(sandbox.user_id("tokend"))
            who = f"{method} of “{token.label}” by user {sandbox.user_id('alice')}: "
            assert entries[-1]["MESSAGE"].startswith(who + words)
            if kind == "etoken":
                lost = before[role.lower()] > token.counters()[role.lower()]
                assert lost == (spent == "yes"), "as the token itself says"
        assert token.login(PIN)
        if kind == "etoken":
            assert token.serial not in journal.read("--output=export")

        names = {entry["TOKEND_TOKEN"] for entry in entries}
        assert len(names) == 1 and re.fullmatch("[0-9a-f]{64}", names.pop())
        assert not journal.entries(MESSAGE_ID=IDS["TRIES_LOST"]), "what was lost, no other program has lost"


def test_what_a_caller_writes_is_not_written_down(sandbox, journal, alice):
    """Neither an option that is none, be it a code in the wrong place, nor a code that is refused unseen."""
    for options in ({"77777777": True}, {"expected-retries": ("s", "88888888")}):
        assert alice.call("Unlock", PUK, NEW_PIN, options=options).error == "InvalidArgs"
    check(last(journal, "NOT_SENT", 2), outcome="InvalidArgs", uid=str(sandbox.user_id("alice")))
    assert alice.call("Unlock", "1" * 256, NEW_PIN).error == "InvalidArgs"
    check(last(journal, "NOT_SENT", 3), outcome="InvalidArgs", retries=left(sandbox.token("etoken"), "PUK"))
    text = journal.read("--output=export")
    assert not re.search(f"7{{8}}|8{{8}}|1{{200}}|{PUK}", text)


def test_the_last_try(sandbox, journal, alice):
    """Its entry is a warning."""
    token = sandbox.token("etoken")
    token.wrong_puk(2)
    assert alice.call("Unlock", WRONG, NEW_PIN).error == "FinalAttempt"
    check(last(journal, "NOT_SENT"), outcome="FinalAttempt", retries="1", spent="no", priority=NOTICE)
    assert alice.call("Unlock", WRONG, NEW_PIN, options={"final-attempt": True}).error == "PukIncorrect"
    assert token.counters()["puk"] == 0
    check(last(journal, "TOKEN_REFUSED"), outcome="PukIncorrect", retries="0", spent="yes", priority=WARNING)
    assert alice.call("Unlock", PUK, NEW_PIN).error == "PukLocked"
    check(last(journal, "NOT_SENT", 2), outcome="PukLocked", retries="0", spent="no")


def test_an_outcome_that_is_not_known(sandbox, journal, alice):
    """A warning, which does not claim to know what the try became."""
    sandbox.token("etoken").fault("crash C_Login 1 after")
    assert alice.call("Unlock", WRONG, NEW_PIN).error == "OutcomeUnknown"
    entry = last(journal, "OUTCOME_UNKNOWN")
    check(entry, outcome="OutcomeUnknown", spent="unknown", uid=str(sandbox.user_id("alice")), priority=WARNING)


def test_an_error_after_the_code(sandbox, journal, alice):
    """What it cost is known, by the token's own number."""
    token = sandbox.token("etoken")
    token.fault("error C_Login 1 CKR_DEVICE_ERROR after")
    assert alice.call("Unlock", WRONG, NEW_PIN).error == "Failed"
    assert token.counters()["puk"] == 2
    check(last(journal, "OUTCOME_UNKNOWN"), outcome="Failed", spent="yes", retries="2", priority=WARNING)


def test_refused_by_polkit(sandbox, journal, alice):
    """bob's attempts are written down, with his name, up to a limit; alice's entries come as ever."""
    token = sandbox.token("etoken")
    bob_number = str(sandbox.user_id("bob"))
    with Client(sandbox, "bob") as bob:
        path = bob.token()
        for _ in range(REFUSALS_A_MINUTE + 5):
            assert bob.call("Unlock", WRONG, NEW_PIN, path=path).error == "NotAuthorized"
        for _ in range(3):
            assert bob.call("GetStatus", path=path).error == "NotAuthorized"
        assert alice.call("SetPin", WRONG_PIN, NEW_PIN).error == "PinIncorrect"
        check(last(journal, "TOKEN_REFUSED"), outcome="PinIncorrect", retries=left(token, "PIN"))
        entries = journal.entries(TOKEND_UID=bob_number)
        assert len(entries) == REFUSALS_A_MINUTE
        for entry in entries:
            check(
                entry,
                kind="NOT_SENT",
                outcome="NotAuthorized",
                operation="Unlock",
                pid=str(bob.number),
                spent="no",
                priority=NOTICE,
            )
        assert f"by user {bob_number}: nothing was sent: not authorized" in entries[0]["MESSAGE"]
    assert token.counters() == {"pin": 2, "puk": 3}


def test_a_caller_who_leaves(sandbox, journal):
    """Who it was is known although nobody is there any more to be asked."""
    with Client(sandbox, "alice") as leaving:
        leaving.feed(leaving.begin_call("SetPin", None, NEW_PIN), PIN[:2])
    entry = last(journal, "NOT_SENT")
    check(entry, uid=str(sandbox.user_id("alice")), pid=str(leaving.number), operation="SetPin", spent="no")
    assert entry["MESSAGE"].endswith("nothing was sent: the caller left")
    assert sandbox.token("etoken").counters() == {"pin": 3, "puk": 3}


def test_asked_to_end_once_a_try_is_recorded(sandbox, journal, alice):
    """Then another program is found to have lost one, and nothing is sent: that is why, and nobody left."""
    token = sandbox.token("etoken")
    with CodeFeeder(sandbox) as client:
        path = only_path(client)
        with held_at_the_record(sandbox) as wait:
            changing = client.begin_operation("SetPin", path, PIN, NEW_PIN)
            wait()
            token.wrong_pin()
            token.fault("pause C_GetTokenInfo operate")
        token.wait_paused()
        wait_until(lambda: "pin-pending" in sandbox.read_file(LEDGER), what="the record")
        os.kill(sandbox.tokend(), signal.SIGTERM)
        question = ["/", "org.freedesktop.DBus", "NameHasOwner", "(s)", ["org.tokend.Tokend1"]]
        wait_until(lambda: not alice.call_at(*question, destination="org.freedesktop.DBus").value, what="its leave")
        token.clear_faults()
        with raises("RetriesChanged"):
            client.finish(changing)
    wait_until(lambda: sandbox.tokend() is None, what="the service's end")
    entry = last(journal, "NOT_SENT")
    check(entry, operation="SetPin", spent="no")
    assert entry["MESSAGE"].endswith("nothing was sent: the tries left are not what the caller expected")


def test_the_session(sandbox, journal, alice):
    """From logind; one that is another user's is not believed."""
    with logind(sandbox, "alice"), Client(sandbox, "carol") as carol:
        alice.call("SetPin", WRONG_PIN, NEW_PIN)
        check(last(journal, "TOKEN_REFUSED"), session="1", uid=str(sandbox.user_id("alice")))
        assert carol.call("SetPin", PIN, NEW_PIN).error == NEEDS_PERSON
        check(last(journal, "NOT_SENT"), outcome="InteractiveAuthorizationRequired", session=None, uid=str(sandbox.user_id("carol")))


def test_a_logind_that_hangs(sandbox, journal, alice):
    """It is not known whether the person at the machine is still the same, so no code goes; the entry comes without a session,
    and at once, if the service ends."""
    path = alice.token()
    who = {"session": None, "uid": str(sandbox.user_id("alice")), "pid": str(alice.number)}
    with logind(sandbox, "alice") as login:
        login.fall_silent()
        assert alice.call("Unlock", PUK, NEW_PIN, path=path, options={"unknown": True}).error == "InvalidArgs"
        replied_at = time.time()
        entry = last(journal, "NOT_SENT")
        check(entry, outcome="InvalidArgs", **who)
        assert int(entry["__REALTIME_TIMESTAMP"]) / 1e6 > replied_at
        assert alice.call("Unlock", PUK, NEW_PIN, path=path).error == "NotAuthorized"
        check(last(journal, "NOT_SENT", 2), outcome="NotAuthorized", **who)

        assert alice.call("SetPin", PIN, NEW_PIN, path=path).error == "NotAuthorized"
        sandbox.stop_tokend()
        check(last(journal, "NOT_SENT", 3), outcome="NotAuthorized", **who)
    assert not sent(sandbox.token("etoken"))


@pytest.mark.parametrize("kind", KINDS)
def test_tries_that_another_program_loses(make_sandbox, kind):
    """Each time that it is seen; a warning when the last one is near. Not what an operation of ours has lost."""
    sandbox = make_sandbox(tokens=[kind])
    token = only_token(sandbox)
    with journal_of(sandbox) as journal, Client(sandbox, "alice") as alice:
        path = alice.find(token.label)
        lost = []

        def lose(role, lose_one, state, priority):
            lose_one()
            assert alice.call("Refresh", path=path).error is None
            lost.append(last(journal, "TRIES_LOST", len(lost) + 1))
            check(
                lost[-1],
                role=role,
                state=state,
                label=token.label,
                module=kind,
                uid=None,
                retries=left(token, role),
                priority=priority,
            )
            assert lost[-1]["MESSAGE"].startswith(f"Another program has lost a {role} try of “{token.label}”: ")

        lose("PIN", token.wrong_pin, "low", NOTICE)
        alice.call("Refresh", path=path)
        if kind != "softhsm":
            lose("PIN", token.wrong_pin, "final-try", WARNING)
            lose("PIN", token.wrong_pin, "locked", WARNING)

        assert alice.call("Unlock", WRONG, NEW_PIN, path=path).error == "PukIncorrect"
        alice.call("Refresh", path=path)
        if kind != "softhsm":
            lose("PUK", token.wrong_puk, "final-try", WARNING)
        options = {"final-attempt": True}
        assert alice.call("Unlock", PUK, NEW_PIN, path=path, options=options).error is None
        alice.call("Refresh", path=path)
        lose("PIN", token.wrong_pin, "low", NOTICE)
        assert len({entry["TOKEND_TOKEN"] for entry in lost}) == 1


def test_lost_while_watched(sandbox, journal, alice):
    """Nobody asks, but somebody is subscribed."""
    alice.subscribe()
    sandbox.token("etoken").wrong_pin(2)
    wait_until(lambda: fields_of(journal.wait_entries(MESSAGE_ID=IDS["TRIES_LOST"])[-1])["retries"] == "1", what="it")
    entries = journal.entries(MESSAGE_ID=IDS["TRIES_LOST"])
    assert len(entries) <= 2 and fields_of(entries[-1])["state"] == "final-try"


def test_lost_on_a_token_that_two_modules_show(make_sandbox):
    """It was lost once, and is told of once, also when it is lost again after the counter rose."""
    sandbox = make_sandbox(modules={"again": ETOKEN})
    token = only_token(sandbox)
    with journal_of(sandbox) as journal, Client(sandbox, "alice") as alice:

        def refresh():
            paths = alice.paths()
            assert len(paths) == 2
            assert all(alice.call("Refresh", path=path).error is None for path in paths)

        refresh()
        uses = [(token.wrong_pin, 1), (token.wrong_pin, 2), (lambda: token.login(PIN), 2), (token.wrong_pin, 3)]
        for use, number in uses:
            use()
            refresh()
            last(journal, "TRIES_LOST", number)


def test_lost_on_a_card_that_one_module_shows_twice(make_sandbox):
    """Its two labels are one PIN: it was lost once."""
    sandbox = make_sandbox(["openpgp-card"])
    token = only_token(sandbox)
    with journal_of(sandbox) as journal, Client(sandbox, "alice") as alice:
        wait_until(lambda: len(alice.paths()) == 2, what="both labels")
        for count, state, number in ((2, "final-try", 1), (1, "locked", 2)):
            token.wrong_pin(count)
            assert all(alice.call("Refresh", path=path).error is None for path in alice.paths())
            assert fields_of(last(journal, "TRIES_LOST", number))["state"] == state


def test_a_token_that_contradicts_itself(sandbox, journal, alice):
    """Its flags say that all is locked, its numbers that nothing is: the worse, no number, and one entry a role; no more
    as long as it stays so, and again when it comes back."""
    token = sandbox.token("etoken")
    token.fault("garbage C_GetTokenInfo watch * numbers")
    for _ in range(4):
        reply = alice.call("Refresh")
        assert reply.value["pin-state"] == reply.value["puk-state"] == "locked"
        assert "pin-retries-remaining" not in reply.value and "puk-retries-remaining" not in reply.value
    entries = journal.wait_entries(2, MESSAGE_ID=IDS["INCONSISTENT"])
    flags = "COUNT_LOW FINAL_TRY LOCKED"
    for entry, role in zip(entries, ("PIN", "PUK"), strict=True):
        check(entry, role=role, state="locked", number="3", flags=flags, module="etoken", label="ETOKEN", priority=WARNING)
    assert entries[0]["MESSAGE"].startswith("“ETOKEN” contradicts itself about its PIN: its number says 3 left")

    token.fault()
    assert alice.call("Refresh").value["pin-retries-remaining"] == 3
    token.fault("garbage C_GetTokenInfo watch * numbers")
    for _ in range(3):
        alice.call("Refresh")
    assert len(journal.wait_entries(4, MESSAGE_ID=IDS["INCONSISTENT"])) == 4
    assert token.counters() == {"pin": 3, "puk": 3}


def show_counters(sandbox, token, pin, puk):
    """What the token says of itself from now on."""
    with open(sandbox.path(f"{token.folder}/state"), "r+", encoding="ascii") as file:
        file.write(f"pin {pin} puk {puk}\n")


def test_tries_that_go_up_and_down(sandbox, journal, alice):
    """A module says what it likes at each read: its losses are told up to a limit, and that there is one; what it says of
    the other code is told as ever."""
    token = sandbox.token("etoken")
    for number in range(TOLD_OF_ROLE + 15):
        for pin in (3, 2):
            show_counters(sandbox, token, pin, 3)
            assert alice.call("Refresh").value["pin-retries-remaining"] == pin
        if number == TOLD_OF_ROLE - 2:
            assert not journal.entries(MESSAGE_ID=IDS["TOO_MANY"])
    check(last(journal, "TRIES_LOST", TOLD_OF_ROLE), role="PIN")
    entry = last(journal, "TOO_MANY")
    check(entry, module="etoken", priority=WARNING)
    assert "etoken" in entry["MESSAGE"] and "“ETOKEN”" in entry["MESSAGE"]
    show_counters(sandbox, token, 2, 2)
    alice.call("Refresh")
    check(last(journal, "TRIES_LOST", TOLD_OF_ROLE + 1), role="PUK", retries="2")
    last(journal, "TOO_MANY")


def test_a_contradiction_that_is_always_another_one(sandbox, journal, alice):
    """Likewise, and it hides no loss."""
    token = sandbox.token("etoken")
    token.fault("garbage C_GetTokenInfo watch * numbers")
    for number in range(TOLD_OF_ROLE + 5):
        show_counters(sandbox, token, 3 - number % 2, 3)
        for _ in range(2):
            assert alice.call("Refresh").value["pin-state"] == "locked"
    entries = journal.wait_entries(TOLD_OF_ROLE + 1, MESSAGE_ID=IDS["INCONSISTENT"])
    assert [fields_of(entry)["role"] for entry in entries].count("PIN") == TOLD_OF_ROLE == len(entries) - 1
    last(journal, "TOO_MANY")
    token.fault()
    for pin in (3, 2):
        show_counters(sandbox, token, pin, 3)
        alice.call("Refresh")
    # The flags said that all is locked, of both.
    check(last(journal, "TRIES_LOST", 3), role="PIN", retries="2")


def test_a_profile_that_is_wrong(sandbox, journal, alice):
    """Which file and which line; it is left out as a whole, and the others stand."""
    restart_with_profile(sandbox, "etoken", "# five\n[PIN]\nMaximum=lots\n")
    file = f"{ADMIN_PROFILES}/etoken.conf"
    entry = last(journal, "PROFILE_LEFT_OUT")
    check(entry, profile="etoken", priority=WARNING)
    assert entry["TOKEND_REASON"].startswith(f"{file}, line 3: [PIN] Maximum: ")
    assert entry["TOKEND_REASON"] in entry["MESSAGE"]
    status = alice.call("GetStatus").value
    assert "module-profile" not in status and status["can-unlock"] is False

    restart_with_profile(sandbox, "etoken", "[PIN]\n\nMaximum 5\n")
    assert last(journal, "PROFILE_LEFT_OUT", 2)["TOKEND_REASON"].startswith(f"{file}, line 3: ")
    restart_with_profile(sandbox, "etoken", "[PIN]\nMaximum=3\n")
    assert alice.call("GetStatus").value["module-profile"] == "etoken"
    assert len(journal.entries(MESSAGE_ID=IDS["PROFILE_LEFT_OUT"])) == 2


def test_a_module_that_fails_and_comes_back(sandbox, journal, alice):
    """Once each, with the reason."""
    (host,) = sandbox.hosts("watch")
    sandbox.kill(host)
    check(last(journal, "MODULE_FAILED"), module="etoken", reason="The module host ended", priority=WARNING)
    check(last(journal, "MODULE_BACK"), module="etoken", priority=NOTICE)
    assert alice.call("Refresh").error is None


def test_a_module_that_fails_again_and_again(sandbox, journal, alice):
    """It hides nothing behind it, and the last word is not that it is back."""
    for number in range(1, 6):
        (host,) = sandbox.hosts("watch")
        sandbox.kill(host)
        wait_until(lambda host=host: sandbox.hosts("watch") not in ([], [host]), what="another host")
        wait_until(lambda: alice.call("Refresh").error is None, what=f"the module, time {number}")
    failed, back = IDS["MODULE_FAILED"], IDS["MODULE_BACK"]
    told = [entry.get("MESSAGE_ID") for entry in journal.entries()]
    assert [entry for entry in told if entry in (failed, back)] == [failed, back, failed]


def test_a_module_that_is_none(make_sandbox):
    """Why, in the module's own loader's words."""
    sandbox = make_sandbox(modules={"nothing": "/nonexistent/libnothing.so"})
    with journal_of(sandbox) as journal:
        entry = last(journal, "MODULE_FAILED")
        check(entry, module="nothing", priority=WARNING)
        assert entry["TOKEND_REASON"] in entry["MESSAGE"] and "module" in entry["TOKEND_REASON"]
        assert not journal.entries(MESSAGE_ID=IDS["MODULE_BACK"])


def test_a_ledger_that_cannot_be_read(sandbox, journal):
    """Once, at the start."""
    sandbox.stop_tokend()
    sandbox.write_file(LEDGER, "garbage")
    os.chmod(sandbox.path(LEDGER), 0o644)
    sandbox.start_tokend()
    check(last(journal, "LEDGER_UNREADABLE"), reason="it is not whole, or was changed", priority=WARNING)


def test_a_ledger_that_cannot_be_written(sandbox, journal, alice):
    """And so nothing was sent. Once, until it has been written again."""
    folder = sandbox.path(os.path.dirname(LEDGER))
    before = os.stat(folder)
    os.chown(folder, 0, 0)
    for _ in range(2):
        assert alice.call("Unlock", PUK, NEW_PIN).error == "Failed"
    os.chown(folder, before.st_uid, before.st_gid)
    entry = last(journal, "LEDGER_UNWRITABLE")
    check(entry, priority=WARNING)
    assert "ermission denied" in entry["TOKEND_REASON"]
    check(last(journal, "NOT_SENT", 2), outcome="Failed", spent="no", uid=str(sandbox.user_id("alice")))
    assert sandbox.token("etoken").counters() == {"pin": 3, "puk": 3}
    assert alice.call("Unlock", PUK, NEW_PIN).error is None
    os.chown(folder, 0, 0)
    assert alice.call("Unlock", PUK, PIN).error == "Failed"
    os.chown(folder, before.st_uid, before.st_gid)
    last(journal, "LEDGER_UNWRITABLE", 2)


def test_killed_in_the_middle(sandbox, journal, alice):
    """The operation has no entry of its own: the next start tells of its try."""
    token = sandbox.token("etoken")
    trust_puk_flags(sandbox)
    token.fault(*MUTE, "pause C_Login")
    call = alice.begin_call("Unlock", WRONG, NEW_PIN)
    token.wait_paused()
    sandbox.stop_tokend(signal.SIGKILL)
    alice.wait(call)
    sandbox.start_tokend()
    token.fault(*MUTE)
    entry = last(journal, "TRY_PENDING")
    check(entry, role="PUK", priority=NOTICE)
    assert f"[{entry['TOKEND_TOKEN']}/" in sandbox.read_file(LEDGER)
    wait_until(lambda: not sandbox.hosts("operate"), what="the end of the operating host")
    assert token.counters()["puk"] == 2
    assert not journal.entries(MESSAGE_ID=IDS["TRIES_LOST"]), "it was no other program"
    for _ in range(2):
        sandbox.stop_tokend()
        sandbox.start_tokend()
    assert "puk-pending=1" in sandbox.read_file(LEDGER)
    last(journal, "TRY_PENDING", 1)


def test_polkit_that_is_gone(sandbox, journal, alice):
    """Once, however often it is asked."""
    sandbox.stop_polkit()
    for _ in range(3):
        assert alice.call("GetStatus").error == "NotAuthorized"
    assert alice.call("SetPin", PIN, NEW_PIN).error == "NotAuthorized"
    entry = last(journal, "POLKIT_SILENT")
    check(entry, priority=WARNING)
    assert entry["TOKEND_REASON"] and entry["TOKEND_REASON"] in entry["MESSAGE"]


@pytest.mark.long
def test_polkit_that_hangs(sandbox, journal, alice):
    """It is said again only after it has answered."""
    path = alice.token()
    os.kill(sandbox.polkitd(), signal.SIGSTOP)
    assert alice.call("GetStatus", path=path).error == "NotAuthorized"
    assert alice.call("SetPin", PIN, NEW_PIN, path=path).error == "NotAuthorized"
    check(last(journal, "POLKIT_SILENT"), reason="it took too long", priority=WARNING)
    check(last(journal, "NOT_SENT"), outcome="NotAuthorized", uid=str(sandbox.user_id("alice")))
    os.kill(sandbox.polkitd(), signal.SIGCONT)
    assert alice.call("SetPin", PIN, NEW_PIN, path=path).error is None
    sandbox.stop_polkit()
    assert alice.call("GetStatus", path=path).error == "NotAuthorized"
    assert last(journal, "POLKIT_SILENT", 2)["TOKEND_REASON"] != "it took too long"


def test_journalctl_explains(sandbox, journal, alice):
    """With -x, in both languages, by the catalog as journalctl compiles it."""
    alice.call("Unlock", WRONG, NEW_PIN)
    kind = f"MESSAGE_ID={IDS['TOKEN_REFUSED']}"
    english, turkish = journal.explain("en", kind), journal.explain("tr", kind)
    assert "░░ Subject: The token ETOKEN refused a code" in english
    assert "answered PukIncorrect. Was a try spent: yes." in english and "man:tokend(8)" in english
    assert "░░ Subject: ETOKEN cihazı bir kodu reddetti" in turkish
    assert "@" not in english + turkish
    assert sandbox.token("etoken").counters()["puk"] == 2


def test_every_kind_is_produced_here():
    """No kind of entry is without a test of this file."""
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    assert IDS and not [kind for kind in IDS if f'"{kind}"' not in text]


def test_labels_are_readable_in_a_log_of_text(make_sandbox):
    """Where there is no journal, and the service has no locale."""
    sandbox = make_sandbox(tokens=["etoken:label=Ayşe'nin kartı"])
    with Client(sandbox, "alice") as alice:
        assert alice.call("SetPin", WRONG_PIN, NEW_PIN).error == "PinIncorrect"
    wanted = f"SetPin of “Ayşe'nin kartı” by user {sandbox.user_id('alice')}: wrong PIN, 2 tries left"
    wait_until(lambda: wanted in sandbox.journal(), what=wanted)
