# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the journal says of an operation. That no code is in it, after every test, is conftest.py's to see."""

import os
import re

from sandbox import SOURCE
from test_sessions import operate
from test_tokens import tokenctl

SERVICE = "_SYSTEMD_UNIT=tokend.service"


def message_ids():
    """By name, as service/journal/journal.h has them."""
    with open(os.path.join(SOURCE, "service/journal/journal.h"), encoding="utf-8") as file:
        return dict(re.findall(r'#define TOKEND_MESSAGE_(\w+) "(\w+)"', file.read()))


def entries(container, name):
    return container.entries(SERVICE, f"MESSAGE_ID={message_ids()[name]}")


def fields(entry, *names):
    return [entry[f"TOKEND_{name}"] for name in names]


def test_an_operation_is_recorded(container, installed, alice, codes):
    """Who did what, to which token, with what outcome, and what it cost; the token by a hash, and no serial."""
    token = container.token("etoken")
    assert tokenctl(container, token, "unlock", puk=codes.wrong_puk, new_pin=codes.new_pin) != 0
    _, status = operate(alice, "unlock", installed.passwords["alice"], codes.puk, codes.new_pin)
    assert status == 0

    (refused,) = entries(container, "TOKEN_REFUSED")
    assert fields(refused, "OPERATION", "ROLE", "OUTCOME", "RETRIES") == ["Unlock", "PUK", "PukIncorrect", "2"]
    assert fields(refused, "UID", "LABEL", "MODULE") == ["0", "ETOKEN", "etoken"]
    (done,) = entries(container, "DONE")
    assert fields(done, "OPERATION", "ROLE", "OUTCOME", "RETRIES") == ["Unlock", "PUK", "Done", "3"]
    assert fields(done, "UID", "SESSION") == [str(container.user_id("alice")), alice.id]
    assert done["TOKEND_TOKEN"] == refused["TOKEND_TOKEN"]
    assert refused["_UID"] == done["_UID"] == str(container.user_id("tokend"))
    assert token.serial not in str(container.entries(SERVICE))
    explained = container.root("journalctl", "--catalog", "--no-pager", f"MESSAGE_ID={done['MESSAGE_ID']}")
    assert re.search(r"^(-- |░░ )Subject: \S", explained, re.MULTILINE), explained


def test_tries_lost_elsewhere(container, alice, codes):
    """Another program's wrong PIN is recorded too, where it is seen."""
    token = container.token("etoken")
    assert alice.status("ETOKEN")["pin-retries-remaining"] == 3
    assert not token.login(codes.wrong_pin)
    assert alice.status("ETOKEN")["pin-retries-remaining"] == 2
    (lost,) = entries(container, "TRIES_LOST")
    assert lost["TOKEND_RETRIES"] == "2"


def test_a_code_in_the_journal_would_be_found(container, codes):
    """Else what conftest.py looks for after every test proves nothing."""
    container.root("logger", f"a code: {codes.planted}")
    container.root("logger", f"another: {codes.hidden.encode().hex()}")
    assert codes.find(container.export()) == {"planted", "hidden"}
    codes.forget("planted", "hidden")


def test_what_modules_say_is_not_in_the_journal(container):
    """Nor what they tell syslog: nothing comes from their user."""
    assert container.tokenctl("root", "status").returncode == 0
    assert container.hosts("watch")
    assert not container.entries(f"_UID={container.user_id('tokend-module')}")
