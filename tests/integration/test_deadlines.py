# SPDX-License-Identifier: LGPL-2.1-or-later
"""The deadlines of the service, one by one: by its own clock, which is put ahead, so that nobody waits for them.

The fault matrix has a module hang at every call, and grants what a slow machine may take beyond a deadline. Here a
deadline is found that is much too long; all that a slow machine has to do in time is what comes once one has passed.
"""

import time

import pytest
from client import Client
from fault_matrix import COMMITTING, LOADING, NEW_PIN, PREPARING, PUK, READING
from sandbox import wait_until

# How far from a deadline the service's clock is put, in seconds, before it and after it.
MARGIN = 1.5
# What may pass until the answer, once the deadline has: a deadline that is longer by more than this is found.
PATIENCE = 15

# The call at which the module hangs, the method, its deadline, and what it answers
HANGS = {
    "to load": ("C_Initialize operate", "Unlock", LOADING, "TimedOut"),
    "to read": ("C_GetTokenInfo watch", "Refresh", READING, "TimedOut"),
    "to prepare": ("C_OpenSession operate", "Unlock", PREPARING, "TimedOut"),
    "to commit": ("C_Login operate", "Unlock", COMMITTING, "OutcomeUnknown"),
}


@pytest.mark.without_sanitizer
@pytest.mark.parametrize("what", HANGS)
def test_deadline(what, sandbox, clock):
    """No answer before it, for a module may take its time, and one soon after it."""
    call, method, deadline, error = HANGS[what]
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as caller:
        path = caller.token()
        assert caller.call("Refresh", path=path).error is None
        token.fault(f"hang {call}")
        begun = time.monotonic()
        number = caller.begin_call(method, *([PUK, NEW_PIN] if method == "Unlock" else []), path=path)
        wait_until(lambda: "HANG" in token.results(call.split()[0]), what="the module that hangs")

        clock(deadline - MARGIN)
        # On a machine that needed the rest for all this, it may have passed.
        assert not caller.is_answered(number) or time.monotonic() - begun > MARGIN
        clock(deadline + MARGIN)
        assert caller.wait(number, PATIENCE).error == error
