# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what, by the installed polkit actions and logind's real sessions."""

import contextlib
import json
import os

import pytest
from sandbox import wait_until

NOT_AUTHORIZED = 3


def sent(token):
    """The calls that carry a code, as far as the module hosts made them."""
    return [name for name in token.calls("tokend-module") if name in ("C_Login", "C_SetPIN", "C_InitPIN")]


@contextlib.contextmanager
def given(*codes):
    """Descriptors that hold the codes."""
    ends = []
    for code in codes:
        reading, writing = os.pipe()
        os.write(writing, code.encode())
        os.close(writing)
        ends.append(reading)
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


def is_refused(session, *arguments):
    """Without an agent, as for a program with no terminal."""
    finished = session.tokenctl(*arguments)
    assert finished.returncode in (0, NOT_AUTHORIZED), finished.stderr
    assert "02a0b1c1" not in finished.stderr or finished.returncode == 0, "nor told a thing"
    return finished.returncode == NOT_AUTHORIZED


def type_password(terminal, password):
    terminal.expect("Password: ")
    wait_until(lambda: not terminal.is_echoing(), what="the end of the echo")
    asked = terminal.text
    terminal.type_line(password)
    return asked


def operate(session, command, password, *codes, times=1):
    """tokenctl on a terminal, codes by descriptors; returns what was asked before the password, and the exit status.

    password: None if none is to be asked for; times: how often it is.
    """
    options = {"unlock": ["--puk-fd", "--new-pin-fd"], "set-pin": ["--pin-fd", "--new-pin-fd"]}[command]
    with given(*codes) as ends:
        numbers = [word for option, end in zip(options, ends) for word in (option, str(end))]
        with session.terminal(command, "ETOKEN", *numbers, pass_fds=ends) as terminal:
            if password is not None:
                asked = [type_password(terminal, password) for _ in range(times)][0]
            status = terminal.finish()
    if password is None:
        assert "Password" not in terminal.text
        return None, status
    return asked, status


def test_on_the_seat(container, installed, alice, codes):
    """She reads unasked; to unlock and to set a PIN she is asked every time, for her own password."""
    token, password = container.token("etoken"), installed.passwords["alice"]
    assert alice.property("Active") == "yes" and alice.property("Seat") == "seat0"
    assert alice.status("ETOKEN")["pin-retries-remaining"] == 3
    for pin in (codes.new_pin, codes.third_pin):
        asked, status = operate(alice, "unlock", password, codes.puk, pin)
        assert "unlock the token ETOKEN (02a0b1c1)" in asked
        assert "alice" in asked and "root" not in asked
        assert status == 0 and token.login(pin)
    asked, status = operate(alice, "set-pin", password, codes.third_pin, codes.new_pin)
    assert "change the PIN of the token ETOKEN (02a0b1c1)" in asked
    assert status == 0 and token.login(codes.new_pin)


def test_a_wrong_password(container, alice, codes):
    """Nothing is sent."""
    token = container.token("etoken")
    _, status = operate(alice, "unlock", codes.wrong_password, codes.puk, codes.new_pin, times=3)
    assert status == NOT_AUTHORIZED
    assert not sent(token) and token.counters() == {"pin": 3, "puk": 3} and token.login(codes.pin)


def test_with_nobody_to_ask(container, alice, codes):
    """On the seat, but without a terminal or another agent: she reads, and that is all."""
    with given(codes.puk, codes.new_pin) as (puk, new_pin):
        argv = ["tokenctl", "unlock", "ETOKEN", "--puk-fd", str(puk), "--new-pin-fd", str(new_pin)]
        finished = alice.run(argv, pass_fds=(puk, new_pin))
    assert finished.returncode == NOT_AUTHORIZED, finished.stderr
    assert not sent(container.token("etoken"))


def test_from_afar(container, installed, alice, codes):
    """The same alice, at the same time, in a session without a seat: another one is asked for, and she may not read."""
    token, remote = container.token("etoken"), container.login("alice", seat=False)
    assert remote.property("Seat") == "" and alice.property("Active") == "yes"
    assert not is_refused(alice, "status")
    assert is_refused(remote, "status")
    assert is_refused(remote, "status", "--json")
    assert is_refused(remote, "modules")
    with given(codes.puk, codes.new_pin) as (puk, new_pin):
        argv = ["tokenctl", "unlock", "ETOKEN", "--puk-fd", str(puk), "--new-pin-fd", str(new_pin)]
        assert remote.run(argv, pass_fds=(puk, new_pin)).returncode == NOT_AUTHORIZED
    # Her own password is not enough: an administrator's is asked for, and root has none here.
    with remote.terminal("status") as terminal:
        for _ in range(3):
            type_password(terminal, installed.passwords["alice"])
        assert terminal.finish() == NOT_AUTHORIZED
    assert "02a0b1c1" not in terminal.text and "ETOKEN" not in terminal.text
    assert not sent(token)


def test_one_at_a_time(container, alice, installed, codes):
    """Of two people on a seat the one who is in front may; when they change places, so does that."""
    token, bob = container.token("etoken"), container.login("bob")
    for active, waiting in ((bob, alice), (alice, bob), (bob, alice)):
        active.activate()
        wait_until(lambda waiting=waiting: waiting.property("Active") == "no", what="the inactive session")
        assert not is_refused(active, "status")
        assert is_refused(waiting, "status")
    _, status = operate(bob, "set-pin", installed.passwords["bob"], codes.pin, codes.new_pin)
    assert status == 0 and token.login(codes.new_pin)


def test_without_a_session(container):
    """As a program that cron starts, of a user who is not logged in; root needs no session."""
    finished = container.tokenctl("bob", "status")
    assert finished.returncode == NOT_AUTHORIZED, finished.stderr
    assert json.loads(container.tokenctl("root", "status", "--json").stdout)


@pytest.mark.parametrize("user", ["tokend", "tokend-module"])
def test_the_services_own_users(container, user):
    """Whoever takes over one of them has no more to say than anybody else."""
    finished = container.tokenctl(user, "status")
    assert finished.returncode == NOT_AUTHORIZED, finished.stderr
