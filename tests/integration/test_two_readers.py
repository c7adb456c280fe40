# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two cards of one module, through the real pcscd: what becomes of one holds up or concerns no other."""

import time

import pytest
from card_user import CardUser
from sandbox import wait_until
from support import Client, nothing_sent, only_path, raises
from test_readers import (
    A_WHILE,
    ASKING,
    PATIENCE,
    REALISTIC,
    SOON,
    commands_of_a_look,
    pin_state,
    sent_to,
    wait_signal,
    wait_until_left_alone,
)

# In milliseconds
SLOW_CARD = "delay * 15"


def test_two_readers(make_sandbox):
    """What happens in one is not told of the other's card."""
    sandbox = make_sandbox(["piv-card", "openpgp-card"])
    piv, openpgp = sandbox.token("piv-card"), sandbox.token("openpgp-card")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        others = {path for label, path in paths.items() if label != piv.label}
        assert len(others) == 2
        openpgp.wrong_pin(2)
        told = {client.wait_signal("StatusChanged", timeout=SOON)["path"] for _ in others}
        assert told == others
        assert pin_state(client, paths[piv.label]) == "ok"

        piv.fault("vanish")
        wait_signal(client, "InterfacesRemoved")
        assert set(client.tokens()) == others
        openpgp.fault("vanish")
        for _ in others:
            wait_signal(client, "InterfacesRemoved")
        openpgp.clear_faults()
        for _ in others:
            wait_signal(client, "InterfacesAdded")
        for path in client.tokens():
            assert pin_state(client, path) == "final-try"


def test_two_cards_of_which_one_is_in_a_long_transaction(make_sandbox):
    """The other one is asked and told of as ever; for this one, who asks is told that it is busy."""
    sandbox = make_sandbox(["piv-card", "openpgp-card"])
    piv, openpgp = sandbox.token("piv-card"), sandbox.token("openpgp-card")
    with Client(sandbox) as client, CardUser(sandbox) as user, CardUser(sandbox) as looker:
        client.subscribe()
        paths = client.paths_by_label()
        wait_until_left_alone(piv)
        user.connect("shared", reader=1)
        user.do("begin")
        user.wrong_pin("openpgp-card")
        user.wrong_pin("openpgp-card")
        with raises("Busy"):
            client.refresh(paths[openpgp.label])
        assert client.refresh(paths[piv.label])["pin-state"] == "ok"
        client.set_pin(paths[piv.label], sandbox.pin, "654321")
        # No faster than a real card: a shorter use of it may not be seen.
        piv.fault(REALISTIC)
        looker.connect("shared")
        looker.wrong_pin()
        looker.wrong_pin()
        looker.do("disconnect")
        piv.clear_faults()
        client.wait_status(paths[piv.label], {"pin-state": "final-try"}, timeout=SOON)

        for _ in range(2):
            piv.fault("vanish")
            looker.wait_present(False)
            wait_signal(client, "InterfacesRemoved")
            assert paths[openpgp.label] in client.tokens()
            piv.clear_faults()
            looker.wait_present(True)
            wait_signal(client, "InterfacesAdded")
        with raises("Busy"):
            client.refresh(paths[openpgp.label])
        user.do("end")
        client.wait_status(paths[openpgp.label], {"pin-state": "final-try"}, timeout=SOON)
    assert "failed" not in sandbox.journal()


def work_for(user, seconds, kind):
    """Uses the card in the midst of a long use, with pauses."""
    begun = time.monotonic()
    while time.monotonic() < begun + seconds:
        user.work(5, kind)
        time.sleep(0.1)


def test_two_slow_cards(make_sandbox):
    """What happens to one is told without a command to the other; that one was pulled out, without any at all."""
    sandbox = make_sandbox(["piv-card", "openpgp-card"])
    piv, openpgp = sandbox.token("piv-card"), sandbox.token("openpgp-card")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        labels = paths.keys() - {piv.label}
        before = {token: wait_until_left_alone(token) for token in (piv, openpgp)}

        openpgp.fault(SLOW_CARD, "vanish")
        for _ in labels:
            client.wait_signal("InterfacesRemoved")
        time.sleep(A_WHILE)
        assert {token: sent_to(token) for token in before} == before
        for token in before:
            token.fault(SLOW_CARD)
        for _ in labels:
            client.wait_signal("InterfacesAdded")
        assert sent_to(piv) == before[piv]

        paths = client.paths_by_label()
        before[openpgp] = wait_until_left_alone(openpgp)
        with CardUser(sandbox) as user:
            user.connect("shared")
            user.wrong_pin()
            user.wrong_pin()
            user.do("disconnect")
        client.wait_status(paths[piv.label], {"pin-state": "final-try"})
        assert sent_to(openpgp) == before[openpgp]


def test_slow_card_that_comes_beside_a_card_in_long_use(make_sandbox):
    """The card that comes is told of before the other one is looked into anew."""
    sandbox = make_sandbox(["piv-card", "openpgp-card"])
    piv, openpgp = sandbox.token("piv-card"), sandbox.token("openpgp-card")
    with Client(sandbox) as client, CardUser(sandbox) as user:
        client.subscribe()
        paths = client.paths_by_label()
        wait_until_left_alone(openpgp)
        look = commands_of_a_look(client, piv, paths[piv.label])
        openpgp.fault("vanish")
        for _ in paths.keys() - {piv.label}:
            client.wait_signal("InterfacesRemoved")
        piv.fault(SLOW_CARD)
        user.connect("shared")
        before = sent_to(piv)
        wait_until(lambda: sent_to(piv) - before >= look, what="the look at the card in use")
        openpgp.fault(SLOW_CARD)
        user.wait_present(True, reader=1)
        before = sent_to(piv)
        for _ in paths.keys() - {piv.label}:
            client.wait_signal("InterfacesAdded")
        assert sent_to(piv) - before <= 2 * ASKING["piv-card"]
        user.wrong_pin()
        user.wrong_pin()
        client.wait_status(paths[piv.label], {"pin-state": "final-try"})


@pytest.mark.parametrize("is_asked", [False, True], ids=["watched", "asked"])
def test_program_that_wants_the_other_card_for_itself(make_sandbox, is_asked):
    """It gets it while a third program goes on using this one, which is watched meanwhile; also if somebody has just asked
    for the status of all cards. Then what it did is told, and of this one is known what was known."""
    sandbox = make_sandbox(["piv-card", "openpgp-card"])
    piv, openpgp = sandbox.token("piv-card"), sandbox.token("openpgp-card")
    with Client(sandbox) as client, CardUser(sandbox) as user, CardUser(sandbox) as taker:
        client.subscribe()
        paths = client.paths_by_label()
        idle, used = (wait_until_left_alone(token) for token in (piv, openpgp))
        user.connect("shared", reader=1)
        begun = time.monotonic()
        commands = 0
        while time.monotonic() < begun + 2 * PATIENCE + A_WHILE:
            commands += user.work(5, openpgp.kind)
            time.sleep(0.1)
        assert sent_to(openpgp) - used > commands
        assert sent_to(piv) == idle
        if is_asked:
            client.refresh(paths[openpgp.label])
        wait_until(lambda: taker.ask("connect", 0, "exclusive") == "done", SOON, "the card")
        taker.wrong_pin()
        taker.wrong_pin()
        work_for(user, A_WHILE, openpgp.kind)
        with raises("Busy"):
            client.refresh(paths[piv.label])
        taker.do("disconnect")
        client.wait_status(paths[piv.label], {"pin-state": "final-try"}, timeout=SOON)
        assert pin_state(client, paths[openpgp.label]) == "ok"
        assert client.take_signals("InterfacesRemoved") == []
    assert "failed" not in sandbox.journal()


def test_status_while_one_card_is_in_long_use(make_sandbox):
    """Who asks for it has the other card looked into as well, which is let go of before the answer."""
    sandbox = make_sandbox(["piv-card", "openpgp-card"])
    with Client(sandbox) as client, CardUser(sandbox) as user, CardUser(sandbox) as taker:
        client.subscribe()
        path = client.tokens()[0]
        for token in sandbox.tokens.values():
            wait_until_left_alone(token)
        client.unsubscribe()
        user.connect("shared", reader=1)
        time.sleep(PATIENCE + A_WHILE)
        client.refresh(path)
        taker.connect("exclusive", reader=0)


def reading(sandbox):
    """The processes that read the card in one reader."""
    return [outside for outside, _, arguments in sandbox.processes().values() if "--read" in arguments]


def test_what_waits_for_a_transaction_ends_with_its_host(make_sandbox):
    """It cannot be given up; it holds up nobody but who asks for its card."""
    sandbox = make_sandbox(["piv-card", "openpgp-card"])
    piv, openpgp = sandbox.token("piv-card"), sandbox.token("openpgp-card")
    with Client(sandbox) as client, CardUser(sandbox) as user:
        client.subscribe()
        paths = client.paths_by_label()
        wait_until_left_alone(piv)
        user.connect("shared", reader=1)
        user.do("begin")
        with raises("Busy"):
            client.refresh(paths[openpgp.label])
        waiting = reading(sandbox)
        assert len(waiting) == 1
        client.set_pin(paths[piv.label], sandbox.pin, "654321")
        wait_until(lambda: not sandbox.hosts("operate"), what="the end of the operating host")
        wait_until(lambda: reading(sandbox) == waiting, what="the end of what read the other card")

        for host in sandbox.hosts("watch"):
            sandbox.kill(host)
        wait_until(lambda: not set(reading(sandbox)) & set(waiting), what="the end of what the watching host began")
        user.do("end")
        wait_until(lambda: not reading(sandbox), what="the end of all that waited")


@pytest.mark.parametrize("kind", ["piv-card", "openpgp-card"])
def test_operation_that_hangs(make_sandbox, kind):
    """At one card: the other one is operated on as ever."""
    other_kind = "openpgp-card" if kind == "piv-card" else "piv-card"
    sandbox = make_sandbox([kind, other_kind])
    token, other = sandbox.token(kind), sandbox.token(other_kind)
    with Client(sandbox) as client, Client(sandbox) as second:
        client.subscribe()
        paths = client.paths_by_label()
        token.fault("pause CHANGE-REFERENCE-DATA")
        changing = client.begin_operation("SetPin", paths[token.label], sandbox.pin, "654321", final_attempt=True)
        token.wait_paused()
        for codes in ((sandbox.pin, "654321"), ("654321", sandbox.pin)):
            assert second.refresh(paths[other.label])["pin-state"] == "ok"
            second.set_pin(paths[other.label], *codes)
        token.clear_faults()
        client.finish(changing)
        assert other.counters() == {"pin": 3, "puk": 3}
    assert token.login("654321")
    assert other.login(sandbox.pin)


def test_card_without_a_serial_number(make_sandbox):
    """It is not operated on while another program hides a card, since before it was seen, that could have the same name; nor
    does one that is known hold it up."""
    sandbox = make_sandbox(["pkcs15-card:serial=00000000", "openpgp-card"])
    token = sandbox.token("pkcs15-card")

    def find(client):
        client.subscribe()
        return next(path for path in client.tokens() if client.status(path)["label"] == token.label)

    with CardUser(sandbox) as user:
        for mode in ("shared", "exclusive"):
            with Client(sandbox) as client:
                path = find(client)
                wait_until(lambda: user.ask("connect", 1, mode) == "done", what="the card")  # noqa: B023
                user.do("begin")
                client.set_pin(path, sandbox.pin, "654321", final_attempt=True)
                client.set_pin(path, "654321", sandbox.pin, final_attempt=True)
            sandbox.restart_tokend()
            with Client(sandbox) as client:
                path = find(client)
                with nothing_sent(token), raises("Busy") as errors:
                    client.set_pin(path, sandbox.pin, "654321", final_attempt=True)
                assert "may be this token" in errors[0].message
                user.do("end")
                user.do("disconnect")
                wait_until(lambda: "busy" not in client.modules()[0], what="the card")
                client.set_pin(path, sandbox.pin, "654321", final_attempt=True)
                client.set_pin(path, "654321", sandbox.pin, final_attempt=True)


def test_two_cards_that_cannot_be_told_apart(make_sandbox):
    """Neither is operated on; nor while one of them is hidden, when it could be taken for the only one."""
    sandbox = make_sandbox(["piv-card:serial=12345678", "piv-card:serial=12345678"])
    with Client(sandbox) as client, CardUser(sandbox) as user:
        path = only_path(client)
        assert not client.status(path)["can-set-pin"]
        shown = sandbox.run("alice", ["sh", "-c", "tokenctl set-pin 3</dev/null 4</dev/null --pin-fd 3 --new-pin-fd 4"])
        assert shown.returncode == 1 and "this label and serial number" in shown.stderr
        for command in ("set-pin", "unlock"):
            with sandbox.terminal("alice", ["tokenctl", command]) as terminal:
                terminal.expect("this label and serial number")
                assert terminal.finish() == 1
            assert "PIN:" not in terminal.text and "PUK:" not in terminal.text
        for mode, reader in (("none", 0), ("shared", 0), ("exclusive", 0), ("shared", 1), ("exclusive", 1)):
            if mode != "none":
                wait_until(lambda: user.ask("connect", reader, mode) == "done", what="the card")  # noqa: B023
                user.do("begin")
            with raises("NotSupported", "Busy"):
                client.set_pin(path, sandbox.pin, "654321")
            if mode != "none":
                user.do("end")
                user.do("disconnect")
                wait_until(lambda: client.refresh(path), what="the card")
        first, second = sandbox.tokens.values()
        for token in (first, second):
            assert not [command for command in token.calls() if "CHANGE" in str(command)]
        # There is only one again, which need not be looked into for that.
        before = wait_until_left_alone(first)
        client.signals.clear()
        second.fault("vanish")
        # Who asks before that is told has both looked into.
        client.wait_status(path, {"can-set-pin": True})
        assert sent_to(first) == before
        client.set_pin(path, sandbox.pin, "654321")
        second.clear_faults()
        client.wait_status(path, {"can-set-pin": False})
