# SPDX-License-Identifier: LGPL-2.1-or-later
"""A module that attacks (tests/tokens/hostile), in the hosts that the units start: nothing that it tries succeeds."""

import os
import re
import subprocess

import pytest
from sandbox import BUILD, wait_until

MODULE = f"{BUILD}/tests/tokens/hostile/libhostile.so"
REPORTS = "/var/tmp"
# On other hosts, which run as the same user
ON_HOSTS = ("trace-hosts", "read-hosts-memory", "open-hosts-memory", "list-hosts-descriptors")


def reports(container, kind):
    """By the host's number inside, what became of each of its attacks."""
    found = {}
    for name in os.listdir(container.path(REPORTS)):
        match = re.fullmatch(rf"hostile-{kind}-(\d+)", name)
        if match:
            lines = container.read_file(f"{REPORTS}/{name}").splitlines()
            found[int(match[1])] = dict(line.split() for line in lines)
    return found


def watch_again(container):
    """The first one may have been alone; the next one finds tokend and other hosts to attack."""
    (first,) = wait_until(lambda: reports(container, "watch"), what="the first host")
    wait_until(lambda: len(container.hosts("watch")) > 1, what="other hosts")
    container.kill(container.processes()[first][0])
    wait_until(lambda: len(reports(container, "watch")) == 2, what="the next host")
    return next(report for number, report in reports(container, "watch").items() if number != first)


def operate(container, codes):
    given = {"pin": codes.anything, "new": codes.something}
    argv = ["tokenctl", "set-pin", "HOSTILE", "--final-attempt", "--pin-fd", "{pin}", "--new-pin-fd", "{new}"]
    finished = container.run_with_codes("root", argv, given)
    assert finished.returncode == 0, finished.stderr
    (report,) = reports(container, "operate").values()
    return report


@pytest.mark.parametrize("kind", ["watch", "operate"])
def test_a_module_gets_nowhere(container, codes, kind):
    container.root("mkdir", "-p", "/etc/pkcs11/modules")
    container.root("tee", "/etc/pkcs11/modules/hostile.module", stdin=f"module: {MODULE}\n")
    with container.popen("root", ["tokenctl", "monitor"], stdout=subprocess.DEVNULL) as monitor:
        report = watch_again(container) if kind == "watch" else operate(container, codes)
        monitor.terminate()
    assert len(report) > 30, report
    assert not [name for name, result in report.items() if result == "done"], report
    assert {report[name] for name in ON_HOSTS} <= {"EPERM", "EACCES", "ENOENT"}, "there was another host"
