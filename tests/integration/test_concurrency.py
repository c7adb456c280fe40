# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several callers at once: one of them operates on a token, and nobody waits for somebody else."""

import pytest
from client import Client
from fault_matrix import Contract

PIN, PUK, NEW_PIN, WRONG = "1234", "12345678", "4321", "87654321"
SENDING = ("C_Login", "C_SetPIN", "C_InitPIN")
CALLS_PER_CALLER = 16


def sent(token):
    """What has been done to the token with a code, by our module hosts."""
    return [name for name in token.calls("tokend-module") if name in SENDING]


@pytest.mark.parametrize("second", ["Unlock", "SetPin"])
def test_the_second_is_busy_and_nobody_waits(make_sandbox, second):
    """One try is spent, the status is told meanwhile, and another token operates in parallel."""
    sandbox = make_sandbox(tokens=["etoken", "etoken"])
    token, other = sandbox.token("etoken"), sandbox.token("etoken2")
    with Client(sandbox, "alice") as first, Client(sandbox, "alice") as rival:
        path, other_path = first.find("ETOKEN"), first.find("ETOKEN2")
        token.fault("pause C_Login")
        operation = first.begin_call("Unlock", WRONG, NEW_PIN, path=path)
        token.wait_paused()

        for caller in (rival, first):
            reply = caller.call(second, PUK if second == "Unlock" else PIN, NEW_PIN, path=path)
            assert reply.error == "Busy" and "nothing was sent" in reply.message
        for method in ("GetStatus", "Refresh"):
            for there, label in ((path, "ETOKEN"), (other_path, "ETOKEN2")):
                assert rival.call(method, path=there).value["label"] == label
        assert rival.call("Unlock", PUK, NEW_PIN, path=other_path).error is None
        assert other.login(NEW_PIN)
        assert not first.is_answered(operation)

        token.clear_faults()
        assert first.wait(operation).error == "PukIncorrect"
        assert sent(token) == ["C_Login"]
        assert token.counters() == {"pin": 3, "puk": 2}
        assert rival.call("Unlock", PUK, NEW_PIN, path=path).error is None, "the token is free again"


def test_who_comes_at_the_same_moment(sandbox):
    """Of several calls in flight together, from two connections, one goes to the token and the rest are Busy."""
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as first, Client(sandbox, "alice") as second:
        path = first.token()
        callers = [first, second] * 2
        calls = [caller.begin_call("Unlock", WRONG, NEW_PIN, path=path) for caller in callers]
        errors = sorted(caller.wait(call).error for caller, call in zip(callers, calls))
        # Who comes when the first is done is told that this code was refused already.
        assert errors.count("PukIncorrect") == 1
        assert set(errors) <= {"PukIncorrect", "Busy", "AlreadyRefused"}
        assert sent(token) == ["C_Login"] and token.counters()["puk"] == 2


def test_a_caller_has_limits(sandbox):
    """The 17th call under way on a connection is refused, others are not concerned, and it recovers."""
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as greedy, Client(sandbox, "alice") as modest:
        path = greedy.token()
        token.fault("pause C_GetTokenInfo")
        calls = [greedy.begin_call("Refresh", path=path) for _ in range(CALLS_PER_CALLER)]
        token.wait_paused()
        for _ in range(3):
            assert greedy.call("Refresh", path=path, timeout=4).error == "LimitsExceeded"
        for method in ("GetModules", "Subscribe", "Unsubscribe"):
            assert greedy.call_manager(method, timeout=4).error == "LimitsExceeded"
        assert all("LimitsExceeded" in errors for errors in Contract().documented.values())
        assert greedy.wait(greedy.begin_open("Unlock", path), 4).error == "LimitsExceeded"
        other = modest.begin_call("Refresh", path=path)
        token.clear_faults()

        assert {greedy.wait(call).error for call in calls} == {None}
        assert modest.wait(other).error is None
        assert greedy.call("Refresh", path=path).error is None
        assert greedy.call("Unlock", PUK, NEW_PIN, path=path).error is None
        assert sent(token) == ["C_Login", "C_InitPIN"]
