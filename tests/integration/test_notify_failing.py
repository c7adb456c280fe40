# SPDX-License-Identifier: LGPL-2.1-or-later
"""tokend-notify where something fails at the moment that matters: the warning comes later, and is not lost."""

import contextlib
import os
import signal

import pytest
from desktop import Desktop
from sandbox import FOLDER, wait_until
from support import Client, only_path, polkit, raises, tries

LOW, FINAL = "ETOKEN: a PIN try was lost", "ETOKEN: one PIN try is left"
NOTIFY_LOG = f"{FOLDER}/log/notify.log"

# What makes a read fail, and holds the host that comes after it, so that it is not back before it is asked.
FAILURES = {
    "module": ["crash C_GetTokenInfo watch", "pause C_Initialize watch"],
    "token": ["error C_GetTokenInfo * CKR_DEVICE_ERROR"],
}


def is_stopped(process):
    with open(f"/proc/{process}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


@contextlib.contextmanager
def held(program):
    """In the block a program of the sandbox does nothing. nsenter stops when it does, and makes it go on afterwards."""
    os.kill(program.number(), signal.SIGSTOP)
    wait_until(lambda: is_stopped(program.pid), what="the stop")
    try:
        yield
    finally:
        os.kill(program.pid, signal.SIGCONT)


@contextlib.contextmanager
def second_loss(sandbox, desktop):
    """tokend-notify, which has told of one lost try, learns with the end of the block that there is something to ask for:
    the second one. Gives the path of the token's object."""
    token = sandbox.token("etoken")
    desktop.start_notify()
    token.wrong_pin()
    assert desktop.wait_note(1).title == LOW
    with Client(sandbox) as client:
        path = only_path(client)
        with held(desktop.notify):
            token.wrong_pin()
            client.wait_status(path, tries("pin", "final-try", 1, "token"))
            yield path


def wait_told(sandbox, words):
    """Waits until tokend-notify has said this."""
    wait_until(lambda: words in sandbox.read_file(NOTIFY_LOG), what=words)


@pytest.mark.parametrize("what", FAILURES)
def test_token_that_cannot_be_read_when_it_is_asked_for(sandbox, what):
    """Once it can, nothing is new to the service: it says so all the same, since somebody has asked in vain."""
    token = sandbox.token("etoken")
    with Desktop(sandbox) as desktop:
        with second_loss(sandbox, desktop) as path, Client(sandbox) as client:
            token.fault(*FAILURES[what])
            with raises("ModuleFailed"):
                wait_until(lambda: not client.refresh(path), what="the failure")
            if what == "module":
                token.wait_paused()
        wait_told(sandbox, "Cannot read a token's status: ")
        token.clear_faults()
        assert desktop.wait_note(2).title == FINAL


def test_call_for_which_there_is_no_room(sandbox):
    """The person's other programs have too many calls under way; nothing tells of the end of that."""
    with Desktop(sandbox) as desktop, contextlib.ExitStack() as calling:
        with second_loss(sandbox, desktop) as path:
            others = [calling.enter_context(Client(sandbox)) for _ in range(2)]
            polkitd = sandbox.polkitd()
            os.kill(polkitd, signal.SIGSTOP)
            calling.callback(os.kill, polkitd, signal.SIGCONT)
            # 16 on a connection, and of one user half of the 60.
            for client in others:
                last = [client.begin("GetStatus", path) for _ in range(17)][-1]
                with raises("LimitsExceeded"):
                    client.finish(last)
        wait_told(sandbox, "Cannot read a token's status: ")
        os.kill(polkitd, signal.SIGCONT)
        assert desktop.wait_note(2).title == FINAL


def test_polkit_that_does_not_answer_for_once(sandbox):
    """Who might read until then asks again, and is not turned away for the rest of the session."""
    with Desktop(sandbox) as desktop:
        with second_loss(sandbox, desktop):
            sandbox.stop_polkit()
        wait_told(sandbox, "Cannot follow the tokens: ")
        with polkit(sandbox):
            assert desktop.wait_note(2).title == FINAL


def test_server_that_refuses(sandbox):
    """A notification that a server did not show is shown once it does."""
    with Desktop(sandbox, server="reluctant") as desktop:
        desktop.start_notify()
        sandbox.token("etoken").wrong_pin()
        wait_told(sandbox, "Cannot show a notification: ")
        assert desktop.notes == []
        assert desktop.wait_note(1).title == LOW


def test_record_that_breaks_off(sandbox):
    """What a test sees of the notifications fails loudly, and does not look like a warning that was lost."""
    with Desktop(sandbox) as desktop:
        desktop.monitor.terminate()
        with pytest.raises(RuntimeError, match="has ended"):
            desktop.wait_note(1)
