# SPDX-License-Identifier: LGPL-2.1-or-later
"""One token that two modules show by two names; two tokens that may be one; and modules that say so of others'."""

import json
import os
import re
import signal

import pytest
from desktop import Desktop
from sandbox import FOLDER, wait_until
from support import Client, check, nothing_sent, raises, restart_with_profile, says, sent, tries

NEW_PIN, WRONG = "4321", "1111"
# vpcd's second reader, in which nothing is: the eToken says that it is there.
READER = "Virtual PCD 00 01"
ETOKEN = f"etoken:reader={READER}"
# As another module shows the same eToken: one for which there is no profile, and one for which there is the same.
STRANGER = f"alias:of=etoken,reader={READER},manufacturer=Other,serial=77aa"
VENDOR = f"alias:of=etoken,reader={READER},file=libeToken.so,model=eToken 5110,serial=77aa"
# A card starts pcscd, and is in the first reader.
CARD = "pkcs15-card"
CARD_LABEL = "PKCS15-CARD (User PIN)"


def make_one(make_sandbox, *tokens):
    return make_sandbox([CARD, *tokens])


@pytest.fixture
def silent(make_sandbox):
    """An eToken without a number or a flag of the PIN, so that only the record tells of its tries, shown by two modules with
    its profile."""
    sandbox = make_one(make_sandbox, f"{ETOKEN},vendor-objects=false", VENDOR)
    sandbox.token("etoken").fault("no-pin-flags")
    return sandbox


def ids(client, path):
    status = client.status(path)
    return status["card-id"], status["pin-id"]


def hide_module(sandbox, name):
    """The next tokend does not load it."""
    os.unlink(sandbox.path(f"/usr/share/p11-kit/modules/{name}.module"))


def test_the_bus_says_what_is_one(make_sandbox):
    sandbox = make_one(make_sandbox, ETOKEN, STRANGER)
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        assert ids(client, paths["ETOKEN"]) == ids(client, paths["ALIAS"])
        assert not set(ids(client, paths["ETOKEN"])) & set(ids(client, paths[CARD_LABEL]))
        statuses = {label: client.status(path) for label, path in paths.items()}
        # The one that can unlock it.
        assert {label for label, status in statuses.items() if status["preferred"]} == {"ETOKEN", CARD_LABEL}
        # They tell nothing, and are other ones each time.
        before = ids(client, paths["ETOKEN"])
        token.fault("vanish")
        client.wait_labels([CARD_LABEL])
        token.clear_faults()
        paths = client.wait_labels(["ETOKEN", "ALIAS", CARD_LABEL])
        assert ids(client, paths["ETOKEN"]) == ids(client, paths["ALIAS"])
    sandbox.restart_tokend()
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        assert ids(client, paths["ETOKEN"]) == ids(client, paths["ALIAS"])
        assert not set(before) & set(ids(client, paths["ETOKEN"]))


@pytest.mark.parametrize(("first", "then"), [("ETOKEN", "ALIAS"), ("ALIAS", "ETOKEN")])
def test_a_code_is_refused_by_both(make_sandbox, first, then):
    """Also when it was pulled out meanwhile. What is right by one does not make the other forget."""
    sandbox = make_one(make_sandbox, ETOKEN, STRANGER)
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        with raises("PinIncorrect"):
            client.set_pin(paths[first], WRONG, NEW_PIN, final_attempt=True)
        assert token.counters()["pin"] == 2
        for _ in range(2):
            with nothing_sent(token), raises("AlreadyRefused"):
                client.set_pin(paths[then], WRONG, NEW_PIN, final_attempt=True)
            # Pulled out and put in again.
            token.fault("vanish")
            client.wait_labels([CARD_LABEL])
            token.clear_faults()
            paths = client.wait_labels(["ETOKEN", "ALIAS", CARD_LABEL])
        client.set_pin(paths[then], sandbox.pin_of("etoken"), NEW_PIN, final_attempt=True)
        # The vendor's module sees the tries come back, the stranger does not.
        if first == "ALIAS":
            with nothing_sent(token), raises("AlreadyRefused"):
                client.set_pin(paths[first], WRONG, NEW_PIN, final_attempt=True)


def test_spent_tries_count_for_both(silent):
    """Across restarts, and when only the one is shown that they were not spent by."""
    token = silent.token("etoken")
    with Client(silent) as client:
        client.subscribe()
        paths = client.paths_by_label()
        for number in range(2):
            with raises("PinIncorrect"):
                client.set_pin(paths["ALIAS"], f"{WRONG}{number}", NEW_PIN)
        assert token.counters()["pin"] == 1
        for label in ("ALIAS", "ETOKEN"):
            check(client.status(paths[label]), {"pin-wrong-sent": 2, "pin-retries-remaining": None})
        with nothing_sent(token), raises("FinalAttempt"):
            client.set_pin(paths["ETOKEN"], "9999", NEW_PIN)
    hide_module(silent, "alias")
    silent.restart_tokend()
    with Client(silent) as client:
        client.subscribe()
        paths = client.paths_by_label()
        assert "ALIAS" not in paths
        with nothing_sent(token), raises("FinalAttempt"):
            client.set_pin(paths["ETOKEN"], "9999", NEW_PIN)
        # The right PIN is right, and from then on it is what counts.
        client.set_pin(paths["ETOKEN"], silent.pin_of("etoken"), NEW_PIN, final_attempt=True)
        check(client.status(paths["ETOKEN"]), tries("pin", "ok", 3, "flags"))


def test_tries_that_were_spent_before(silent):
    """It is found to be one after they were spent by one of the two; then that one's module is gone."""
    token = silent.token("etoken")
    module = silent.path("/usr/share/p11-kit/modules/etoken.module")
    os.rename(module, f"{module}.away")
    silent.restart_tokend()
    with Client(silent) as client:
        client.subscribe()
        paths = client.paths_by_label()
        assert "ETOKEN" not in paths
        for number in range(2):
            with raises("PinIncorrect"):
                client.set_pin(paths["ALIAS"], f"{WRONG}{number}", NEW_PIN)
    os.rename(f"{module}.away", module)
    for is_hidden in (False, True):
        if is_hidden:
            hide_module(silent, "alias")
        silent.restart_tokend()
        with Client(silent) as client:
            client.subscribe()
            path = client.paths_by_label()["ETOKEN"]
            if not is_hidden:
                check(client.status(path), {"pin-wrong-sent": 2})
            with nothing_sent(token), raises("FinalAttempt"):
                client.set_pin(path, "9999", NEW_PIN)
    assert token.counters()["pin"] == 1


def test_busy_counts_for_both(silent):
    """Also to a service that was started again, and does not know that they are one."""
    token = silent.token("etoken")
    with Client(silent) as client, Client(silent) as other:
        client.subscribe()
        paths = client.paths_by_label()
        token.fault("no-pin-flags", "pause C_SetPIN")
        call = client.begin_operation("SetPin", paths["ALIAS"], silent.pin_of("etoken"), NEW_PIN)
        token.wait_paused()
        for label in ("ALIAS", "ETOKEN"):
            with raises("Busy"):
                other.set_pin(paths[label], WRONG, NEW_PIN)
        # The other card is another one.
        with raises("PinIncorrect"):
            other.set_pin(paths[CARD_LABEL], "999999", "888888", final_attempt=True)
        hide_module(silent, "alias")
        silent.kill(silent.tokend())
        silent.start_tokend()
        with raises("org.freedesktop.DBus.Error.NoReply"):
            client.finish(call)
    with Client(silent) as client:
        client.subscribe()
        path = client.paths_by_label()["ETOKEN"]
        with raises("Busy"):
            client.set_pin(path, WRONG, NEW_PIN)
        token.fault("no-pin-flags")
        wait_until(lambda: not silent.hosts("operate"), what="the end of the host")
        with raises("PinIncorrect"):
            client.set_pin(path, WRONG, NEW_PIN, final_attempt=True)
    assert sent(token) == ["C_Login", "C_SetPIN", "C_Login"]


def test_one_shows_what_the_other_hides(make_sandbox):
    """By its profile the other module shows that all is well; the last try is not sent by it unasked."""
    sandbox = make_one(make_sandbox, ETOKEN, f"{STRANGER},hide-flags=true")
    restart_with_profile(sandbox, "aaa", "[Match]\nFiles=libalias.so\n[PIN]\nFlags=exact\nMaximum=3\n")
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        check(client.status(paths["ALIAS"]), tries("pin", "ok", 3, "flags"))
        token.wrong_pin(2)
        client.wait_status(paths["ETOKEN"], tries("pin", "final-try", 1, "token"))
        wait_until(lambda: client.status(paths["ALIAS"])["pin-state"] != "ok", what="the other's doubt")
        with nothing_sent(token), raises("FinalAttempt"):
            client.set_pin(paths["ALIAS"], WRONG, NEW_PIN)
        assert token.login(sandbox.pin_of("etoken"))
        client.wait_status(paths["ALIAS"], tries("pin", "ok", 3, "flags"))


def test_tokenctl_shows_one_row(make_sandbox):
    sandbox = make_one(make_sandbox, ETOKEN, STRANGER)
    token = sandbox.token("etoken")
    shown = sandbox.tokenctl("alice", "status").stdout.splitlines()
    assert [line.split()[0] for line in shown[:4] if line] == ["LABEL", "ETOKEN", "PKCS15-CARD"]
    assert "ETOKEN: The module “alias” shows it, too, as “ALIAS”, serial 77aa (PIN: not known, PUK: not known)." in shown
    assert "ETOKEN: It is operated on through “etoken”." in shown
    # By the other name it is the same row.
    by_name = sandbox.tokenctl("alice", "status", "ALIAS").stdout.splitlines()
    assert [line.split()[0] for line in by_name[:3] if line] == ["LABEL", "ETOKEN"]
    # For programs each view is as its module shows it.
    (status,) = json.loads(sandbox.tokenctl("alice", "status", "ALIAS", "--json").stdout)
    assert says(status, {"label": "ALIAS", "serial": "77aa", "preferred": False})
    in_turkish = sandbox.tokenctl("alice", "status", env={"LANGUAGE": "tr"})
    assert "ETOKEN: İşlemler “etoken” modülüyle yapılır." in in_turkish.stdout


def unlock(sandbox, name, new_pin):
    words = ["unlock", name, "--puk-fd", "{puk}", "--new-pin-fd", "{new}"]
    return sandbox.tokenctl("alice", *words, codes={"puk": sandbox.puk, "new": new_pin})


def test_tokenctl_follows_no_other_name_unasked(make_sandbox):
    """The stranger's module has no way to unlock. That another one shows the same token, modules say: a script's PUK goes to
    the name that it gives; a person is asked."""
    sandbox = make_one(make_sandbox, ETOKEN, STRANGER)
    token = sandbox.token("etoken")
    token.wrong_pin(3)
    with nothing_sent(token):
        done = unlock(sandbox, "ALIAS", NEW_PIN)
        assert done.returncode == 7, done.stderr
        words = "The module that shows “ALIAS” cannot do this. The module “etoken” can; .* the same token as “ETOKEN”. Nothing"
        assert re.search(words, done.stderr) and done.stderr.endswith("name it: ETOKEN\n"), done.stderr
    assert unlock(sandbox, "ETOKEN", NEW_PIN).returncode == 0
    assert token.counters() == {"pin": 3, "puk": 3} and token.login(NEW_PIN)

    for answer, status in (("", 7), ("yes", 0)):
        with sandbox.terminal("alice", ["tokenctl", "unlock", "ALIAS"]) as terminal:
            terminal.expect("Token: ETOKEN, serial")
            terminal.expect("The module that shows “ALIAS” cannot do this.* Is that the token that you mean.* Enter: $")
            terminal.type_line(answer)
            for prompt, code in (("PUK: $", sandbox.puk), (r"\): $", "5678"), ("once more: $", "5678")) if answer else ():
                terminal.expect(prompt)
                terminal.type_line(code)
            assert terminal.finish() == status
    assert token.login("5678")


def test_one_notification(make_sandbox):
    """What both modules show is told once; also after the service was started again, and one of the modules is gone."""
    sandbox = make_one(make_sandbox, ETOKEN, STRANGER)
    token = sandbox.token("etoken")
    with Desktop(sandbox) as desktop:
        desktop.start_notify()
        token.wrong_pin(2)

        def are_final():
            shown = [s for s in sandbox.status() if s["label"] != CARD_LABEL]
            return len(shown) == 2 and all(status["pin-state"] == "final-try" for status in shown)

        def titles():
            return [note.title for note in desktop.notes]

        wait_until(are_final, what="the final try by both modules")
        wait_until(lambda: any("one PIN try" in title for title in titles()), what="its notification")
        hide_module(sandbox, "alias")
        sandbox.restart_tokend()
        token.wrong_pin()
        wait_until(lambda: any("locked" in title for title in titles()), what="the notification of the lock")
        # One notification, which changed in place, with one name once the view that can be operated on was read.
        assert desktop.displayed() == 1
        assert len({note.id for note in desktop.notes}) == 1
        named = [title.partition(":")[0] for title in titles()]
        assert set(named[named.index("ETOKEN") :]) == {"ETOKEN"}, named


def test_a_real_card(make_sandbox):
    """In pcscd's reader, by OpenSC, and by OpenSC under another name."""
    alias = "alias:of=opensc,file=opensc-pkcs11.so,manufacturer=Other,serial=77aa,label=OTHER"
    sandbox = make_sandbox([CARD, alias])
    token = sandbox.token(CARD)
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        assert ids(client, paths[CARD_LABEL]) == ids(client, paths["OTHER"])
        with raises("PinIncorrect"):
            client.set_pin(paths["OTHER"], "999999", "888888", final_attempt=True)
        with nothing_sent(token), raises("AlreadyRefused"):
            client.set_pin(paths[CARD_LABEL], "999999", "888888", final_attempt=True)
    assert token.counters()["pin"] == 2


def maps_of(process):
    with open(f"/proc/{process}/maps") as maps:
        return maps.read()


def test_a_card_that_has_left_is_not_the_next_one(make_sandbox):
    """The module that shows the first one hangs while another module shows the second one in the same reader."""
    sandbox = make_one(make_sandbox, ETOKEN, "etoken", f"alias:of=etoken2,reader={READER},manufacturer=Other,serial=77aa")
    mine, theirs = sandbox.token("etoken"), sandbox.token("etoken2")
    theirs.fault("vanish")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.wait_labels([CARD_LABEL, "ETOKEN"])
        with raises("PinIncorrect"):
            client.set_pin(paths["ETOKEN"], WRONG, NEW_PIN)
        (host,) = [host for host in sandbox.hosts("watch") if f"{mine.folder}/" in maps_of(host)]
        os.kill(host, signal.SIGSTOP)
        try:
            mine.fault("vanish")
            theirs.clear_faults()
            wait_until(lambda: len(client.tokens()) == 4, what="the second one, beside the first")
            assert paths["ETOKEN"] in client.tokens()
        finally:
            os.kill(host, signal.SIGCONT)
        paths = client.wait_labels([CARD_LABEL, "ETOKEN2", "ALIAS"])
        with raises("PinIncorrect"):
            client.set_pin(paths["ALIAS"], WRONG, NEW_PIN, final_attempt=True)
        assert (mine.counters()["pin"], theirs.counters()["pin"]) == (2, 2)


# Tokens that may be one


@pytest.fixture(params=["a copy on a card", "spare tokens"])
def doubtful(request, make_sandbox):
    """An eToken in no known reader, and what has its certificate: its label and its token, and a wrong PIN for that. Neither
    tells of the PIN's tries."""
    mine = "etoken:vendor-objects=false,certificate=shared"
    if request.param == "spare tokens":
        sandbox = make_sandbox([mine, mine])
        other, label, wrong = sandbox.token("etoken2"), "ETOKEN2", WRONG
        other.fault("no-pin-flags")
    else:
        sandbox = make_sandbox([mine, CARD])
        other, label, wrong = sandbox.token(CARD), CARD_LABEL, WRONG * 2
    sandbox.token("etoken").fault("no-pin-flags")
    return sandbox, sandbox.token("etoken"), other, label, wrong


def test_maybe_one_is_only_careful(doubtful):
    sandbox, mine, other, label, wrong = doubtful
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        # Nothing is hidden or merged.
        assert not set(ids(client, paths["ETOKEN"])) & set(ids(client, paths[label]))
        assert client.status(paths["ETOKEN"])["preferred"] and client.status(paths[label])["preferred"]
        shown = sandbox.tokenctl("alice", "status").stdout
        assert "\nETOKEN " in shown and f"\n{label} " in shown and "too" not in shown

        # What one refuses and spends counts for the other.
        with raises("PinIncorrect"):
            client.set_pin(paths[label], wrong, "654321", final_attempt=True)
        with nothing_sent(mine), raises("AlreadyRefused"):
            client.set_pin(paths["ETOKEN"], wrong, NEW_PIN)
        check(client.status(paths["ETOKEN"]), {"pin-wrong-sent": None})  # it was not sent to this one
        assert mine.counters()["pin"] == 3

        # Two are spent now, if they are one.
        with raises("PinIncorrect"):
            client.set_pin(paths["ETOKEN"], "5555", NEW_PIN)
        with nothing_sent(mine), raises("FinalAttempt"):
            client.set_pin(paths["ETOKEN"], "7777", NEW_PIN)
        # What succeeds at one clears nothing that the other has spent or refused.
        with raises("PinIncorrect"):
            client.set_pin(paths["ETOKEN"], "6666", NEW_PIN, final_attempt=True)
        client.set_pin(paths[label], sandbox.pin_of(other.name), "654321", final_attempt=True)
        for _ in range(2):
            check(client.status(paths["ETOKEN"]), {"pin-wrong-sent": 2})
            with nothing_sent(mine), raises("FinalAttempt"):
                client.set_pin(paths["ETOKEN"], "7777", NEW_PIN)
            with nothing_sent(mine), raises("AlreadyRefused"):
                client.set_pin(paths["ETOKEN"], "5555", NEW_PIN, final_attempt=True)
            # Nor does a new PIN by the other's PUK.
            client.unlock(paths[label], sandbox.puk, "123456", final_attempt=True)
        # The right one is right all the same.
        client.set_pin(paths["ETOKEN"], sandbox.pin_of("etoken"), NEW_PIN, final_attempt=True)
    assert mine.counters()["pin"] == 3


def test_busy_counts_for_what_may_be_one(doubtful):
    sandbox, mine, other, label, wrong = doubtful
    with Client(sandbox) as client, Client(sandbox) as another:
        client.subscribe()
        paths = client.paths_by_label()
        mine.fault("no-pin-flags", "pause C_SetPIN")
        call = client.begin_operation("SetPin", paths["ETOKEN"], sandbox.pin_of("etoken"), NEW_PIN)
        mine.wait_paused()
        with nothing_sent(other), raises("Busy"):
            another.set_pin(paths[label], wrong, NEW_PIN, final_attempt=True)
        mine.fault("no-pin-flags")
        client.finish(call)


# A module that says that its token is where another one is


def test_a_token_in_anothers_reader_gets_no_code(make_sandbox):
    """It is the preferred view; a code for the honest one goes where its name says, and both are shown."""
    hostile = f"alias:of=etoken2,reader={READER},file=libeToken.so,label=HOSTILE,serial=66bb"
    sandbox = make_one(make_sandbox, ETOKEN, "etoken", hostile)
    mine, theirs = sandbox.token("etoken"), sandbox.token("etoken2")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        assert client.status(paths["HOSTILE"])["preferred"] and not client.status(paths["ETOKEN"])["preferred"]
    mine.wrong_pin(2)
    shown = sandbox.tokenctl("alice", "status").stdout
    assert "HOSTILE: The module “etoken” shows it, too, as “ETOKEN”, serial 02a0b1c1 (PIN: 1 of 3 tries left" in shown
    # What it would hide has a row of its own, with what is to be done.
    assert "\nETOKEN " in shown and "tokenctl unlock ETOKEN" in shown
    assert "HOSTILE: It is operated on through “alias”." in shown
    with nothing_sent(theirs):
        codes = {"puk": sandbox.puk, "new": NEW_PIN}
        words = ["unlock", "ETOKEN", "--puk-fd", "{puk}", "--new-pin-fd", "{new}"]
        done = sandbox.tokenctl("alice", *words, codes=codes)
        assert done.returncode == 0, done.stderr
    assert mine.counters() == {"pin": 3, "puk": 3}
    assert mine.login(NEW_PIN)


def test_success_in_anothers_reader_clears_nothing(make_sandbox):
    """A module that says that its token accepts every code, in the reader of one that has refused some."""
    hostile = f"alias:of=etoken2,reader={READER},file=libeToken.so,label=HOSTILE,serial=66bb"
    sandbox = make_one(make_sandbox, f"{ETOKEN},vendor-objects=false", "etoken:vendor-objects=false", hostile)
    restart_with_profile(sandbox, "etoken", "[PUK]\nFlags=none\n")
    mine = sandbox.token("etoken")
    mine.fault("no-pin-flags", "no-so-flags")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        for number in range(2):
            with raises("PinIncorrect"):
                client.set_pin(paths["ETOKEN"], f"{WRONG}{number}", NEW_PIN)
        client.set_pin(paths["HOSTILE"], sandbox.pin_of("etoken2"), NEW_PIN, final_attempt=True)
        client.unlock(paths["HOSTILE"], sandbox.puk, NEW_PIN, final_attempt=True)
        check(client.status(paths["ETOKEN"]), {"pin-wrong-sent": 2})
        with nothing_sent(mine):
            with raises("FinalAttempt"):
                client.set_pin(paths["ETOKEN"], "9999", NEW_PIN)
            with raises("AlreadyRefused"):
                client.set_pin(paths["ETOKEN"], f"{WRONG}0", NEW_PIN, final_attempt=True)


def test_two_readers_are_two(make_sandbox):
    """Tokens with one certificate, each in a known reader: nothing of one counts for the other."""
    sandbox = make_one(make_sandbox, f"{ETOKEN},certificate=shared")
    mine, card = sandbox.token("etoken"), sandbox.token(CARD)
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        with raises("PinIncorrect"):
            client.set_pin(paths[CARD_LABEL], "999999", "888888", final_attempt=True)
        with raises("PinIncorrect"):
            client.set_pin(paths["ETOKEN"], "999999", "888888")
    assert (mine.counters()["pin"], card.counters()["pin"]) == (2, 2)
