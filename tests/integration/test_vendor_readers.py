# SPDX-License-Identifier: LGPL-2.1-or-later
"""A vendor's module whose tokens are in readers of the real pcscd: it is asked when pcscd tells of a use, and polled
where pcscd cannot tell. What was sent to the token is in its card's own record."""

import time

import pytest
from card_user import CardUser
from sandbox import wait_until
from support import Client, only_path, only_token, tries
from test_readers import (
    PATIENCE,
    SOON,
    WAKE_UPS_MAX,
    StrangeCard,
    count_wake_ups,
    sent_to,
    started_pcscd,
    stop_pcscd,
    wait_for_card,
    wait_signal,
    wait_until_left_alone,
)

ETOKEN = "etoken:reader=yes"
# As middleware does that keeps its card until it is told to let go.
KEEPING = "etoken:reader=yes,connection=kept"
NEW_PIN = "4321"
LOW, FINAL_TRY = tries("pin", "low", 2, "token"), tries("pin", "final-try", 1, "token")


class Idle:
    """The commands to a token, as wait_until_left_alone() wants them."""

    def __init__(self, token):
        self.calls = token.commands


def wait_until_idle(token):
    return wait_until_left_alone(Idle(token))


def count_calls(token):
    return len(token.calls("tokend-module"))


def check_polled(token):
    """Asked again and again, as a token is of which pcscd does not tell."""
    before = count_calls(token)
    wait_until(lambda: count_calls(token) > before + 60, what="polls")


@pytest.mark.parametrize("kind", [ETOKEN, KEEPING])
def test_nothing_is_sent_to_an_idle_token(make_sandbox, kind):
    """Nor is the module called, with a subscriber and with one who asks for the status; and our processes sleep."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        before = wait_until_idle(token), count_calls(token)
        counted = count_wake_ups(sandbox, 10)
        print(f"{counted / 10} wake-ups a second")
        assert 0 < counted <= 10 * WAKE_UPS_MAX
        for _ in range(10):
            assert client.status(path)["pin-state"] == "ok"
            time.sleep(0.3)
        assert (len(token.commands()), count_calls(token)) == before


@pytest.mark.parametrize("kind", [ETOKEN, KEEPING])
def test_another_programs_wrong_pin(make_sandbox, kind):
    """Told soon; then the token is left alone again."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        wait_until_idle(token)
        token.wrong_pin()
        begun = time.monotonic()
        client.wait_status(path, LOW)
        print(f"told within {time.monotonic() - begun:.2f} s")
        wait_until_idle(token)
        token.wrong_pin()
        client.wait_status(path, FINAL_TRY)
        assert client.take_signals("InterfacesRemoved") == []


@pytest.mark.parametrize("kind", [ETOKEN, KEEPING, f"{ETOKEN},slot-events=yes"])
def test_token_comes_and_goes(make_sandbox, kind):
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        only_path(client)
        wait_until_idle(token)
        for _ in range(3):
            token.fault("vanish")
            wait_signal(client, "InterfacesRemoved")
            assert client.tokens() == []
            token.clear_faults()
            wait_signal(client, "InterfacesAdded")
            (path,) = client.tokens()
            assert client.status(path)["pin-state"] == "ok"
        wait_until_idle(token)


@pytest.mark.parametrize("kind", [ETOKEN, KEEPING])
def test_program_that_stays_connected(make_sandbox, kind):
    """What others do meanwhile is told; once it has left, the token is left alone."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client, CardUser(sandbox) as user:
        path = only_path(client)
        before = wait_until_idle(token)
        user.connect("shared")
        wait_until(lambda: len(token.commands()) > before, what="the first look")
        for status in (LOW, FINAL_TRY):
            token.wrong_pin()
            client.wait_status(path, status)
        user.do("disconnect")
        wait_until_idle(token)


@pytest.mark.parametrize("kind", [ETOKEN, KEEPING])
def test_operations(make_sandbox, kind):
    """One that is open when the readers could begin to tell is not ended by that; and while they tell."""
    sandbox = make_sandbox([kind])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        call = client.begin_operation("SetPin", path, None, NEW_PIN)
        client.feed(call, sandbox.pin[:2])
        check_polled(token)
        client.end(call, sandbox.pin[2:])
        client.finish(call)
        wait_until_idle(token)
        client.set_pin(path, NEW_PIN, sandbox.pin)
        client.unlock(path, sandbox.puk, NEW_PIN)
        wait_until_idle(token)
        assert client.status(path)["pin-state"] == "ok"
    assert token.sign(NEW_PIN)


def test_two_tokens(make_sandbox):
    """Each module looks at the cards in all readers: neither is read for what the other one does, without end."""
    sandbox = make_sandbox([ETOKEN, KEEPING])
    tokens = list(sandbox.tokens.values())
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        for token in tokens:
            wait_until_idle(token)
        tokens[0].wrong_pin()
        client.wait_status(paths["ETOKEN"], LOW)
        tokens[1].wrong_pin(2)
        client.wait_status(paths["ETOKEN2"], FINAL_TRY)
        for token in tokens:
            wait_until_idle(token)


def test_beside_a_card_of_opensc(make_sandbox):
    """Neither module reads without end for what the other one does, and both tell what happens."""
    sandbox = make_sandbox([ETOKEN, "piv-card"])
    token, card = sandbox.token("etoken"), sandbox.token("piv-card")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        wait_until_idle(token)
        before = wait_until_left_alone(card)
        wait_until_idle(token)
        assert sent_to(card) == before
        token.wrong_pin()
        client.wait_status(paths["ETOKEN"], LOW)
        card.wrong_pin(2)
        client.wait_signal("StatusChanged", lambda signal: signal["path"] == paths[card.label], timeout=SOON)
        wait_until_idle(token)
        wait_until_left_alone(card)


def test_shown_by_opensc_too(make_sandbox):
    """Two that watch one reader would see each other read: the vendor's module is polled."""
    sandbox = make_sandbox(["piv-card", "alias:of=opensc,manufacturer=Other"])
    with Client(sandbox) as client:
        client.subscribe()
        client.wait_labels(["Simulated signer", "ALIAS"])
        hosts = sandbox.hosts("watch")
        time.sleep(2 * PATIENCE)
        assert sandbox.hosts("watch") == hosts


def test_pcscd_is_started_again(make_sandbox):
    sandbox = make_sandbox([ETOKEN])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        only_path(client)
        wait_until_idle(token)
        stop_pcscd(sandbox)
        wait_signal(client, "InterfacesRemoved")
        with started_pcscd(sandbox):
            wait_for_card(sandbox)
            wait_signal(client, "InterfacesAdded")
            (path,) = client.tokens()
            wait_until_idle(token)
            token.wrong_pin()
            client.wait_status(path, LOW)


# Modules that say what is not so


@pytest.mark.parametrize("reader", ["Virtual PCD 00 01", "Virtual PCD 00", "Elsewhere"])
def test_reader_that_is_none_or_empty(make_sandbox, reader):
    """The token is polled."""
    sandbox = make_sandbox(["piv-card", f"etoken:reader={reader}"])
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        check_polled(token)
        token.wrong_pin()
        client.wait_status(paths["ETOKEN"], LOW)
        token.fault("vanish")
        client.wait_labels(["Simulated signer"])
        token.clear_faults()
        client.wait_labels(["Simulated signer", "ETOKEN"])


def test_reader_of_another_card(make_sandbox):
    """Nobody can tell that it is not the token's. Who asks is told how things are; a token that has gone is polled for."""
    sandbox = make_sandbox(["piv-card", "etoken:reader=Virtual PCD 00 01"])
    token, card = sandbox.token("etoken"), sandbox.token("piv-card")
    with StrangeCard(sandbox, 1):
        # Where a token is is found out when it is first seen.
        sandbox.restart_tokend()
        check_reader_of_another_card(sandbox, token, card)


def check_reader_of_another_card(sandbox, token, card):
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.wait_labels([card.label, "ETOKEN"])
        wait_until(lambda: "C_Finalize" in token.calls("tokend-module"), what="the watch by readers")
        token.wrong_pin()
        assert client.refresh(paths["ETOKEN"])["pin-state"] == "low"
        token.fault("vanish")
        client.refresh(paths[card.label])
        sandbox.tokenctl("alice", "status")
        client.wait_labels([card.label])
        token.clear_faults()
        client.wait_labels([card.label, "ETOKEN"])


def rename_reader(sandbox, token, name):
    """What the next process that loads the module shows."""
    path = f"{token.folder}/token.conf"
    lines = sandbox.read_file(path).splitlines()
    lines = [f"reader={name}" if line.startswith("reader=") else line for line in lines]
    sandbox.write_file(path, "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("name", ["Elsewhere", "Virtual PCD 00 01", ""])
def test_description_that_changes(make_sandbox, name):
    """The token does not go, and is polled from then on."""
    sandbox = make_sandbox([ETOKEN])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        wait_until_idle(token)
        rename_reader(sandbox, token, name)
        assert client.refresh(path)["pin-state"] == "ok"
        check_polled(token)
        assert client.take_signals("InterfacesRemoved") == []
        token.wrong_pin()
        client.wait_status(path, LOW)
