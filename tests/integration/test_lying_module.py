# SPDX-License-Identifier: LGPL-2.1-or-later
"""A module whose C_SetPIN answers CKR_OK to a wrong PIN, and spends a try: what it says of the change proves nothing."""

import pytest
from support import WRONG_PINS, Client, only_path, only_token, raises, restart_with_profile, sent

NEW_PIN, LONG_PIN = "4321", "654321"
SETTING = "alias:file=libtpm2_pkcs11.so,of=etoken,manufacturer=Infineon,model=SLB9670"


@pytest.fixture
def lying(make_sandbox):
    """The sandbox, the token below the module, and the name that it has there; its own module is not shown."""
    sandbox = make_sandbox(["etoken", SETTING])
    sandbox.run("root", ["rm", "/usr/share/p11-kit/modules/etoken.module"])
    sandbox.restart_tokend()
    token = sandbox.token("etoken")
    token.fault("lying-change", "no-vendor-objects", "no-pin-flags", "no-so-flags")
    return sandbox, token


def test_wrong_pin(lying):
    """One try, and it is told so; nothing is called set."""
    sandbox, token = lying
    with Client(sandbox) as client:
        path = only_path(client)
        with raises("PinIncorrect"):
            client.set_pin(path, WRONG_PINS[0], NEW_PIN, final_attempt=True)
        assert token.counters() == {"pin": 2, "puk": 3}
        assert sent(token) == ["C_Login"]
        assert client.status(path)["pin-wrong-sent"] == 1
        with raises("AlreadyRefused"):
            client.set_pin(path, WRONG_PINS[0], NEW_PIN, final_attempt=True)
    assert sent(token) == ["C_Login"]
    assert token.login(sandbox.pin)


def test_right_pin(lying):
    sandbox, token = lying
    with Client(sandbox) as client:
        client.set_pin(only_path(client), sandbox.pin, NEW_PIN, final_attempt=True)
    assert sent(token) == ["C_Login", "C_SetPIN"]
    assert token.counters() == {"pin": 3, "puk": 3}
    assert token.login(NEW_PIN)


def test_lie_that_a_profile_vouches_for(lying):
    """What it costs if the profile is wrong: the try, and the truth."""
    sandbox, token = lying
    restart_with_profile(sandbox, "tpm2-pkcs11", "[PIN]\nChangeProves=true\n")
    with Client(sandbox) as client:
        client.set_pin(only_path(client), WRONG_PINS[0], NEW_PIN, final_attempt=True)
    assert sent(token) == ["C_SetPIN"]
    assert token.counters() == {"pin": 2, "puk": 3}
    assert token.login(sandbox.pin)


@pytest.mark.parametrize("must_change", [False, True])
def test_wrong_pin_called_expired(make_sandbox, must_change):
    """It goes to C_SetPIN only where the token says that its PIN must be changed, and no try was lost."""
    sandbox = make_sandbox(["etoken"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        token.fault("error C_Login 1 CKR_PIN_EXPIRED after", *(["transport-pin"] if must_change else []))
        with raises("PinIncorrect" if must_change else "Failed"):
            client.set_pin(path, WRONG_PINS[0], LONG_PIN)
    assert sent(token) == ["C_Login"]
    assert token.counters() == {"pin": 2, "puk": 3}


def test_expired_pin(make_sandbox):
    sandbox = make_sandbox(["etoken"])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        token.fault("error C_Login 1 CKR_PIN_EXPIRED after", "transport-pin")
        client.set_pin(path, sandbox.pin, LONG_PIN)
    assert sent(token) == ["C_Login", "C_SetPIN"]
    token.clear_faults()
    assert token.login(LONG_PIN)
