# SPDX-License-Identifier: LGPL-2.1-or-later
"""A token that has no PIN yet: it gets one only where that was seen to set one, and to create nothing."""

import pytest
import softhsm
from support import Client, check, nothing_sent, only_path, only_token, raises, restart_with_profile

CARD = "pkcs15-card:pins=0"
LABEL, LABEL_WITH_PIN = "PKCS15-CARD", "PKCS15-CARD (User PIN)"
NEW_PIN, WRONG_PUK = "654321", "11111111"


def test_card(make_sandbox):
    """OpenSC would take any PUK, and leave a PIN on the card that no PUK can unlock."""
    sandbox = make_sandbox([CARD])
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        path = client.wait_labels([LABEL])[LABEL]
        check(client.refresh(path), {"pin-state": "uninitialized", "can-unlock": False})
        with nothing_sent(token), raises("NotSupported"):
            client.unlock(path, sandbox.puk, NEW_PIN, final_attempt=True)
        with nothing_sent(token), raises("NotSupported"):
            client.set_pin(path, sandbox.pin, NEW_PIN, final_attempt=True)
    codes = {"puk": sandbox.puk, "new": NEW_PIN}
    arguments = ["--puk-fd", "{puk}", "--new-pin-fd", "{new}", "--final-attempt"]
    refused = sandbox.tokenctl("alice", "unlock", LABEL, *arguments, codes=codes)
    assert refused.returncode == 1
    assert "No PIN is set yet, and tokend cannot set the first one" in refused.stderr
    assert "no try was spent" in refused.stderr
    assert token.counters() == {"pin": 0, "puk": 0}
    assert "UPDATE-BINARY" not in token.calls()


def test_card_whose_profile_is_wrong(make_sandbox):
    """What is said to cost an object does."""
    sandbox = make_sandbox([CARD])
    token = only_token(sandbox)
    restart_with_profile(sandbox, "opensc-pkcs15", "[Unlock]\nSetsFirstPin=true\n")
    with Client(sandbox) as client:
        client.subscribe()
        path = client.wait_labels([LABEL])[LABEL]
        client.unlock(path, WRONG_PUK, NEW_PIN, final_attempt=True)
        client.wait_labels([LABEL_WITH_PIN])
    assert token.counters() == {"pin": 3, "puk": 0}
    assert "UPDATE-BINARY" in token.calls()


@pytest.mark.parametrize("is_said", [True, False], ids=["profile", "no-profile"])
def test_token(make_sandbox, is_said):
    """SoftHSM2 sets one, and its profile says so."""
    sandbox = make_sandbox(["softhsm"])
    token = only_token(sandbox)
    arguments = ["--init-token", "--slot-index", "0", "--label", token.label, "--so-pin", "env:PUK"]
    command = ["pkcs11-tool", "--module", token.module, *arguments]
    assert sandbox.run("root", command, env={"PUK": sandbox.puk}).returncode == 0
    softhsm.share(sandbox.path(f"{token.folder}/store"))
    restart_with_profile(sandbox, "softhsm2", "" if is_said else "[Unlock]\nSetsFirstPin=false\n")
    with Client(sandbox) as client:
        path = only_path(client)
        check(client.refresh(path), {"pin-state": "uninitialized", "can-unlock": is_said})
        if is_said:
            client.unlock(path, sandbox.puk, NEW_PIN)
        else:
            with raises("NotSupported"):
                client.unlock(path, sandbox.puk, NEW_PIN)
    assert token.login(NEW_PIN) == is_said
