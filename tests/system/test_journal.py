# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the journal says of an operation. That no code is in it, after every test, is conftest.py's to see."""

from test_tokens import tokenctl

SERVICE = "_SYSTEMD_UNIT=tokend.service"
NOTICE = 5


def test_an_operation_is_recorded(container, codes):
    """Each entry says which token, by a hash; nobody's serial, and no code."""
    token = container.token("etoken")
    assert tokenctl(container, token, "unlock", puk=codes.wrong_puk, new_pin=codes.new_pin) != 0
    assert tokenctl(container, token, "unlock", puk=codes.puk, new_pin=codes.new_pin) == 0
    assert tokenctl(container, token, "set-pin", pin=codes.new_pin, new_pin=codes.third_pin) == 0
    entries = container.entries(SERVICE)
    about = [entry for entry in entries if "TOKEND_TOKEN" in entry]
    assert len({entry["TOKEND_TOKEN"] for entry in about}) == 1
    assert len(about) >= 3, entries
    for entry in about:
        assert entry["_UID"] == str(container.user_id("tokend"))
        assert int(entry["PRIORITY"]) <= NOTICE and entry["MESSAGE"]
    assert not [entry for entry in entries if token.serial in str(entry)]


def test_a_code_in_the_journal_would_be_found(container, codes):
    """Else what conftest.py looks for after every test proves nothing."""
    container.root("logger", f"a code: {codes.planted}")
    container.root("logger", f"another: {codes.hidden.encode().hex()}")
    assert codes.find(container.export()) == {"planted", "hidden"}
    codes.forget("planted", "hidden")


def test_what_modules_print_is_not_in_the_journal(container):
    """Nor what they tell syslog. Before the hosts are there, and after."""
    assert container.tokenctl("root", "status").returncode == 0
    hosts = container.entries("_UID=" + str(container.user_id("tokend-module")))
    assert not hosts
