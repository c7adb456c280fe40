# SPDX-License-Identifier: LGPL-2.1-or-later
"""A module that attacks: what the users and the bus alone withhold from it, with no unit's sandbox around its host."""

import os
import re

from sandbox import FOLDER, wait_until
from support import Client

MODULE = f"{FOLDER}/build/tests/tokens/hostile/libhostile.so"
REPORTS = "/var/tmp"

# What stops each. A process that cannot be looked at: its user is another, or it is not dumpable.
WITHHELD = {
    "signal-service": "EPERM",
    "trace-service": "EPERM",
    "read-service-memory": "EPERM",
    "open-service-memory": "EACCES",
    "open-service-environment": "EACCES",
    "list-service-descriptors": "EACCES",
    "trace-hosts": "EPERM",
    "read-hosts-memory": "EPERM",
    "open-hosts-memory": "EACCES",
    "list-hosts-descriptors": "EACCES",
    "list-ledger": "EACCES",
    "write-ledger": "EACCES",
    "list-locks": "EACCES",
    "write-locks": "EACCES",
    "write-run-folder": "EACCES",
    "connect-to-operate-socket": "EACCES",
    "connect-to-watch-socket": "EACCES",
    "own-service-name": "org.freedesktop.DBus.Error.AccessDenied",
    "own-other-name": "org.freedesktop.DBus.Error.AccessDenied",
    "read-modules": "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
    "become-root": "EPERM",
    "mount": "EPERM",
    "write-system": "EACCES",
    "allow-core-files": "EPERM",
    "take-real-time": "EPERM",
}


def reports(sandbox, kind):
    """By the host's number inside, what became of each of its attacks."""
    found = {}
    for name in os.listdir(sandbox.path(REPORTS)):
        match = re.fullmatch(rf"hostile-{kind}-(\d+)", name)
        if match:
            lines = sandbox.read_file(f"{REPORTS}/{name}").splitlines()
            found[int(match[1])] = dict(line.removeprefix("attack ").split() for line in lines)
    return found


def test_a_module_gets_nowhere(make_sandbox):
    """Neither tokend nor another host, nor the ledger, the sockets, a bus name or root's powers can be had."""
    sandbox = make_sandbox(["etoken"], modules={"hostile": MODULE})
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        client.set_pin(paths["HOSTILE"], "1234", "4321", final_attempt=True)
        (operating,) = reports(sandbox, "operate").values()

        # Once more, now that tokend and the eToken's host are there to be attacked.
        (first,) = reports(sandbox, "watch")
        sandbox.kill(sandbox.processes()[first][0])
        wait_until(lambda: len(reports(sandbox, "watch")) == 2, what="the next host")
        (watching,) = (report for number, report in reports(sandbox, "watch").items() if number != first)

    for report in (operating, watching):
        assert {name: report[name] for name in WITHHELD} == WITHHELD
