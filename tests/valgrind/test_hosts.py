# SPDX-License-Identifier: LGPL-2.1-or-later
"""The module hosts as tokend has them started, with valgrind around them."""

import os
import shlex
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../lib"))
from memcheck import MEMCHECK  # noqa: E402
from sandbox import BUILD, FOLDER, Sandbox, wait_until  # noqa: E402

LOGS = "/var/tmp"
CLEAN = "ERROR SUMMARY: 0 errors"
# A host is slow to begin with; that a module is loaded is not said to anybody.
TIMEOUT = 60


def put_valgrind_around_hosts(sandbox):
    host = f"{BUILD}/service/host/tokend-module"
    command = shlex.join([*MEMCHECK, f"--log-file={LOGS}/valgrind-%p", host])
    sandbox.write_file(f"{FOLDER}/bin/tokend-module", f'#!/bin/sh\nexec {command} "$@"\n')
    os.chmod(sandbox.path(f"{FOLDER}/bin/tokend-module"), 0o755)


def read_logs(sandbox):
    """Of all hosts so far, as a list."""
    names = [name for name in os.listdir(sandbox.path(LOGS)) if name.startswith("valgrind-")]
    return [sandbox.read_file(f"{LOGS}/{name}") for name in names]


def test_no_host_errs_or_leaks():
    """Neither the one that watches nor those that unlock and set a PIN, with wrong codes and right ones."""
    with Sandbox(["etoken"]) as sandbox:
        sandbox.stop_tokend()
        put_valgrind_around_hosts(sandbox)
        sandbox.start_tokend()
        wait_until(lambda: sandbox.status(), TIMEOUT, "the token")

        def operate(*arguments, **codes):
            options = [f"--{name.replace('_', '-')}-fd={{{name}}}" for name in codes]
            return sandbox.tokenctl("alice", *arguments, *options, codes=codes).returncode

        assert operate("set-pin", pin="9999", new_pin="4321") == 5
        assert operate("set-pin", pin="1234", new_pin="4321") == 0
        assert operate("unlock", puk="99999999", new_pin="4321") == 5
        assert operate("unlock", puk="99999999", new_pin="4321") == 7
        assert operate("unlock", puk="12345678", new_pin="1234") == 0
        assert sandbox.token("etoken").counters() == {"pin": 3, "puk": 3}

        sandbox.stop_tokend()
        wait_until(lambda: all("ERROR SUMMARY" in log for log in read_logs(sandbox)), TIMEOUT, "the end of the hosts")
        logs = read_logs(sandbox)
        assert sum("--watch" in log for log in logs) >= 1
        assert sum("--operate" in log for log in logs) == 5
        assert all(CLEAN in log for log in logs), "".join(logs)
