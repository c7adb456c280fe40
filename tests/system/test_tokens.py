# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each kind of token under the units' sandbox: what its own module says afterwards is what counts."""

import pytest
from conftest import KINDS

# How many tries are left, by the token's own word, after one wrong PUK, and after one wrong PIN at a change of the PIN.
# openCryptoki refuses that one, and does not count it; SoftHSM2 has no number.
AFTER_WRONG_PUK = {"etoken": 2, "opencryptoki": 2, "softhsm": "low"}
AFTER_WRONG_PIN = {"etoken": 2, "opencryptoki": 3, "softhsm": "low"}
FULL = {"etoken": 3, "opencryptoki": 3, "softhsm": "ok"}
WRONG_CODE = 5


def tokenctl(container, token, command, **given):
    """As root, whom polkit does not ask; codes by descriptors. Returns the exit status."""
    options = [word for option in given for word in (f"--{option.replace('_', '-')}-fd", "{%s}" % option)]
    finished = container.tokenctl("root", command, token.label, *options, codes=given)
    return finished.returncode


@pytest.mark.parametrize("kind", KINDS)
def test_a_token(container, codes, kind):
    """Its status, wrong codes, unlocking and a change of the PIN."""
    token = container.token(kind)
    status = container.status("root", token.label)
    assert (status["pin-state"], status["puk-state"]) == ("ok", "ok")
    assert status.get("pin-retries-remaining") == (None if kind == "softhsm" else 3)
    assert token.counters() == {"pin": FULL[kind], "puk": FULL[kind]}

    assert tokenctl(container, token, "unlock", puk=codes.wrong_puk, new_pin=codes.new_pin) == WRONG_CODE
    assert token.counters()["puk"] == AFTER_WRONG_PUK[kind]
    assert tokenctl(container, token, "unlock", puk=codes.puk, new_pin=codes.new_pin) == 0
    assert token.counters() == {"pin": FULL[kind], "puk": FULL[kind]} and token.login(codes.new_pin)

    assert tokenctl(container, token, "set-pin", pin=codes.wrong_pin, new_pin=codes.third_pin) == WRONG_CODE
    assert token.counters()["pin"] == AFTER_WRONG_PIN[kind]
    assert tokenctl(container, token, "set-pin", pin=codes.new_pin, new_pin=codes.third_pin) == 0
    assert token.login(codes.third_pin) and token.counters()["pin"] == FULL[kind]
