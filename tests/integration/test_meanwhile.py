# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is read of a token while an operation of ours is under way on it, and what must not be made of that."""

from sandbox import wait_until
from support import (
    ETOKEN,
    WRONG_PUKS,
    Client,
    check,
    injected,
    make_counting,
    nothing_sent,
    only_path,
    raises,
    record,
    tries,
)

NEW_PIN = "4321"
LEDGER = "/var/lib/tokend/ledger"
HELD_HOST, HELD_READ = "pause C_OpenSession operate", "pause C_CloseSession watch"
LOSS = "Another program has lost"
# How long the disk takes for each part of a write, in microseconds: longer than a read, and much shorter than a deadline.
SLOW_DISK = 700000


def test_a_try_under_way_alarms_nobody(make_sandbox):
    """While the right PUK is on its way no subscriber is told of a try that will not have been lost."""
    sandbox = make_counting(make_sandbox, "etoken:vendor-objects=false")
    token = sandbox.token("etoken")
    token.fault("no-so-flags")
    with Client(sandbox) as client, Client(sandbox) as watcher:
        watcher.subscribe()
        path = only_path(client)
        with raises("PukIncorrect"):
            client.unlock(path, WRONG_PUKS[0], NEW_PIN)
        watcher.wait_status(path, tries("puk", "ok") | record("puk", 1))
        watcher.take_signals("StatusChanged")

        token.fault("no-so-flags", "pause C_Login")
        unlocking = client.begin_operation("Unlock", path, sandbox.puk, NEW_PIN)
        token.wait_paused()
        before = watcher.status(path)["read-at"]
        assert watcher.refresh(path)["read-at"] > before
        assert watcher.take_signals("StatusChanged") == []
        token.fault("no-so-flags")
        client.finish(unlocking)
        watcher.wait_status(path, tries("puk", "ok", 3, "flags"))


def test_a_try_under_way_is_not_settled(make_sandbox):
    """The token's word on it is its outcome, not what it shows before: until that is known the try stays recorded. And
    what it has lost no other program has."""
    sandbox = make_sandbox(["etoken", "etoken"])
    token = sandbox.token("etoken")
    with Client(sandbox) as client, Client(sandbox) as reader:
        client.subscribe()
        paths = client.paths_by_label()
        path = paths["ETOKEN"]
        for fault, left in (("pause C_Login operate", 3), ("pause C_Login operate after", 2)):
            assert client.refresh(path)["puk-retries-remaining"] == 3
            token.fault(fault)
            unlocking = client.begin_operation("Unlock", path, WRONG_PUKS[0], NEW_PIN)
            token.wait_paused()
            assert token.counters()["puk"] == left
            assert reader.refresh(path)["puk-retries-remaining"] == left
            # What the other token's operation records is written after all that was to be written before it.
            reader.unlock(paths["ETOKEN2"], sandbox.puk, sandbox.pin)
            assert "puk-pending=1\n" in sandbox.read_file(LEDGER)
            token.clear_faults()
            with raises("PukIncorrect"):
                client.finish(unlocking)
            check(client.refresh(path), tries("puk", "low", 2, "token"))
            assert "pending" not in sandbox.read_file(LEDGER)
            client.unlock(path, sandbox.puk, sandbox.pin)
    assert LOSS not in sandbox.journal()


def overtake(token, client, path, reader, read_path):
    """Has a read by one path overtaken by a wrong PUK by another; returns what its reader is told."""
    # Without a subscriber nobody reads but who is asked to, and what was under way is done after a read.
    client.unsubscribe()
    client.refresh(path)

    # The operating host comes once the service has read the token for the last time before the code.
    token.fault(HELD_HOST)
    unlocking = client.begin_operation("Unlock", path, WRONG_PUKS[0], NEW_PIN)
    token.wait_paused("C_OpenSession")
    token.fault(HELD_HOST, HELD_READ)
    reading = reader.begin("Refresh", read_path)
    token.wait_paused("C_CloseSession")
    token.fault(HELD_READ)
    with raises("PukIncorrect"):
        client.finish(unlocking)
    token.clear_faults()
    return reader.finish(reading)


def test_a_read_that_an_operation_overtakes(sandbox):
    """What it saw is not so any more when it is heard of: it is not told, nor does a counter seem to rise after it."""
    token = sandbox.token("etoken")
    with Client(sandbox) as client, Client(sandbox) as reader:
        path = only_path(client)
        check(overtake(token, client, path, reader, path), tries("puk", "low", 2, "token"))

        check(reader.refresh(path), tries("puk", "low", 2, "token"))
        with nothing_sent(token), raises("AlreadyRefused"):
            client.unlock(path, WRONG_PUKS[0], NEW_PIN)
    assert LOSS not in sandbox.journal()


def test_a_read_by_another_module_that_an_operation_overtakes(make_sandbox):
    """Who asks for the token as another module shows it is not told what was before the operation."""
    sandbox = make_sandbox(modules={"again": ETOKEN})
    with Client(sandbox) as client, Client(sandbox) as reader:
        client.subscribe()
        path, other = client.tokens()
        check(overtake(sandbox.token("etoken"), client, path, reader, other), tries("puk", "low", 2, "token"))
    assert LOSS not in sandbox.journal()


def test_a_read_that_ends_between_the_outcome_and_the_reply(make_sandbox):
    """While what was learnt goes to the disk, a read from before the code does not stand in the place of one after it."""
    sandbox = make_sandbox(["etoken", "etoken"])
    token, slow = sandbox.tokens.values()
    token.wrong_pin(3)
    with Client(sandbox) as client, Client(sandbox) as reader, Client(sandbox) as writer:
        client.subscribe()
        paths = client.paths_by_label()
        client.unsubscribe()
        client.refresh(paths[token.label])
        slow.fault(HELD_HOST)
        setting = writer.begin_operation("SetPin", paths[slow.label], sandbox.pin, NEW_PIN)
        slow.wait_paused()
        token.fault(HELD_HOST)
        unlocking = client.begin_operation("Unlock", paths[token.label], sandbox.puk, NEW_PIN)
        token.wait_paused("C_OpenSession")
        token.fault(HELD_HOST, HELD_READ)
        reading = reader.begin("Refresh", paths[token.label])
        token.wait_paused("C_CloseSession")
        with injected(sandbox, "fsync", f"delay_enter={SLOW_DISK}"):
            token.fault(HELD_READ)
            wait_until(lambda: "C_InitPIN" in token.calls("tokend-module"), what="the new PIN")
            # The record of this one's try keeps the disk busy when the other one's outcome is settled.
            slow.clear_faults()
            wait_until(lambda: "pin-pending=1" in sandbox.read_file(LEDGER), what="the record")
            token.clear_faults()
            check(client.finish(unlocking), tries("pin", "ok", 3, "token"))
        check(reader.finish(reading), tries("pin", "ok", 3, "token"))
        writer.finish(setting)


def test_what_another_module_showed_before_an_operation(make_sandbox):
    """Is not told after it, however fresh it is."""
    sandbox = make_sandbox(modules={"again": ETOKEN})
    with Client(sandbox) as client:
        client.subscribe()
        path, other = client.tokens()
        client.refresh(other)
        with raises("PukIncorrect"):
            client.unlock(path, WRONG_PUKS[0], NEW_PIN)
        check(client.status(other), tries("puk", "low", 2, "token"))
        check(client.status(path), tries("puk", "low", 2, "token"))
