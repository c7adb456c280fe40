# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ends in the middle of an operation, and comes back by itself: the service, and the whole system."""

import contextlib
import os
import subprocess

import pytest
from sandbox import wait_until

# A token that shows neither a number nor a flag of its PUK: of what was sent to it, only the ledger knows.
MUTE = ("no-so-flags", "no-vendor-objects")
OUTCOME_UNKNOWN = 9


@pytest.fixture(autouse=True)
def trusted_puk_flags(container):
    """As an administrator may who knows that the flags of their eToken tell of its PUK as well."""
    container.write_file("/etc/tokend/profiles.d/etoken.conf", "[PUK]\nFlags=exact\n")


def puk(container):
    """What the service says of the PUK: state, number, source."""
    status = container.status("root", "ETOKEN")
    return tuple(status.get(f"puk-{key}") for key in ("state", "retries-remaining", "retries-source"))


def lost(container):
    """What the service says of the PUKs that it has sent: wrong ones, and those of which it does not know."""
    status = container.status("root", "ETOKEN")
    return tuple(status.get(f"puk-{key}", 0) for key in ("wrong-sent", "maybe-lost"))


@contextlib.contextmanager
def sending(container, code, new_pin, *faults):
    """In the block the token holds an operation where it is about to see the code. Gives tokenctl's process."""
    token = container.token("etoken")
    token.fault(*faults, "pause C_Login")
    ends = [os.pipe() for _ in range(2)]
    for (_, writing), text in zip(ends, (code, new_pin)):
        os.write(writing, text.encode())
        os.close(writing)
    reading = [end for end, _ in ends]
    argv = ["tokenctl", "unlock", "ETOKEN", "--puk-fd", str(reading[0]), "--new-pin-fd", str(reading[1])]
    with container.popen("root", argv, pass_fds=reading, stderr=subprocess.DEVNULL) as unlocking:
        for end in reading:
            os.close(end)
        token.wait_paused()
        yield unlocking
        if unlocking.poll() is None:
            unlocking.kill()


@pytest.mark.parametrize("faults", [MUTE, ()], ids=["mute", "number"])
def test_the_service_is_killed(container, codes, faults):
    """systemd brings it back at the next call. The try counts as spent, unless the token's own number says not."""
    token = container.token("etoken")
    token.fault(*faults)
    assert puk(container)[:2] == ("ok", 3)
    with sending(container, codes.wrong_puk, codes.new_pin, *faults) as unlocking:
        killed = container.tokend()
        container.kill(killed)
        assert unlocking.wait(30) == OUTCOME_UNKNOWN
        # Its host goes on: the token is not yet free.
        assert container.hosts("operate")
        assert token.counters()["puk"] == 3, "not sent yet"
        assert puk(container) == (("ok", None, None) if faults else ("ok", 3, "token"))
        assert not faults or lost(container) == (0, 1)
        assert container.tokend() not in (None, killed)
    token.fault(*faults)
    wait_until(lambda: not container.hosts("operate"), what="the end of the operating host")
    assert token.counters()["puk"] == 2, "sent, once"
    assert puk(container) == (("ok", None, None) if faults else ("low", 2, "token"))
    assert not faults or lost(container) == (0, 1)
    assert token.results("C_Login").count("CKR_PIN_INCORRECT") == 1


@pytest.mark.parametrize(
    "faults, said", [(MUTE, ("ok", None, None)), ((), ("ok", 3, "token"))], ids=["mute", "number"]
)
def test_power_is_lost_while_a_code_is_on_its_way(container, codes, faults, said):
    """Nothing was sent; only the token itself could know that."""
    token = container.token("etoken")
    with sending(container, codes.puk, codes.new_pin, *faults):
        container.cut_power()
    container.boot()
    token.fault(*faults)
    assert token.counters()["puk"] == 3
    assert puk(container) == said
    assert lost(container) == ((0, 1) if faults else (0, 0))
    assert container.run_with_codes("root", UNLOCK, {"puk": codes.puk, "new": codes.new_pin}).returncode == 0
    assert token.login(codes.new_pin) and puk(container)[:2] == ("ok", 3)


UNLOCK = ["tokenctl", "unlock", "ETOKEN", "--puk-fd", "{puk}", "--new-pin-fd", "{new}"]


def test_a_reboot(container, codes):
    """What was spent before is known after."""
    token = container.token("etoken")
    token.fault(*MUTE)
    wrong = container.run_with_codes("root", UNLOCK, {"puk": codes.wrong_puk, "new": codes.new_pin})
    assert wrong.returncode != 0
    assert token.counters()["puk"] == 2 and puk(container) == ("ok", None, None) and lost(container) == (1, 0)
    container.reboot()
    assert container.property("tokend.service", "ActiveState") == "inactive"
    assert puk(container) == ("ok", None, None) and lost(container) == (1, 0)
    assert container.status("root", "OPENCRYPTOKI")["pin-retries-remaining"] == 3
    token.clear_faults()
    assert puk(container) == ("low", 2, "token")


def test_a_reboot_in_the_middle(container, codes):
    """The operation completes, its caller hears of it, and only then does the system go down."""
    with sending(container, codes.puk, codes.new_pin) as unlocking:
        container.root("systemctl", "reboot", "--no-block")
        tokend = container.tokend()
        wait_until(lambda: container.property("tokend.service", "ActiveState") == "deactivating", what="its stop")
        container.token("etoken").clear_faults()
        assert unlocking.wait(30) == 0
        wait_until(lambda: not os.path.exists(f"/proc/{tokend}"), what="its end")
    container.come_back()
    assert container.token("etoken").login(codes.new_pin)
    assert puk(container) == ("ok", 3, "token")
