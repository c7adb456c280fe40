# SPDX-License-Identifier: LGPL-2.1-or-later
"""A module that attacks (tests/tokens/hostile), in the hosts that the units start: nothing that it tries succeeds, and it
reaches nothing but what SECURITY.md says."""

import os
import re
import subprocess

import pytest
from container import MODULES
from sandbox import PYTHON, read_line, wait_until

MODULE = f"{MODULES}/tests/tokens/hostile/libhostile.so"
REPORTS = "/var/tmp/eToken.cache"
# On other hosts, which run as the same user
ON_HOSTS = ("trace-hosts", "read-hosts-memory", "open-hosts-memory", "list-hosts-descriptors")

# What a module reaches, by what SECURITY.md says
SOCKETS = {"/run/pcscd/pcscd.comm", "/run/pkcsslotd.socket"}
BUS = "/run/dbus/system_bus_socket"
DEVICES = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")}
FOLDERS = ("/dev/shm", "/run/lock/opencryptoki", "/var/lib/opencryptoki", "/var/lib/softhsm", REPORTS)
OF_ITS_OWN = {"/tmp", "/var/tmp"}
# As tokend(8) has it
DROP_IN = "[Service]\nBindReadOnlyPaths=/run/dbus\n"

# Where others have sockets and files that anybody may use
LISTEN = """
import os, socket, sys
sockets = []
for path in ("/tmp/.X11-unix/X0", "/var/tmp/socket", "/run/world/socket"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    sockets.append(socket.socket(socket.AF_UNIX))
    sockets[-1].bind(path)
    sockets[-1].listen()
    os.chmod(path, 0o777)
for path in ("/tmp/file", "/var/tmp/file", "/run/world/file"):
    open(path, "w").close()
    os.chmod(path, 0o666)
print("ready", flush=True)
sys.stdin.read()
"""


class Report:
    """attacks: what became of each, by its name; reached: what can be reached, by its kind: "socket", "device" and so on."""

    def __init__(self, lines):
        self.attacks = dict(line.split()[1:] for line in lines if line.startswith("attack "))
        self.reached = {}
        for kind, path in (line.split(" ", 1) for line in lines if not line.startswith("attack ")):
            self.reached.setdefault(kind, set()).add(path)


def reports(container, kind):
    """By the host's number inside, the reports."""
    found = {}
    for name in os.listdir(container.path(REPORTS)):
        match = re.fullmatch(rf"hostile-{kind}-(\d+)", name)
        if match:
            found[int(match[1])] = Report(container.read_file(f"{REPORTS}/{name}").splitlines())
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


def check_reached(reached, sockets):
    assert reached["socket"] == sockets
    assert "/dev/null" in reached["device"] and reached["device"] <= DEVICES
    written = reached["folder"] | reached["file"] | reached.get("fifo", set())
    assert {path for path in written if not path.startswith(FOLDERS)} == OF_ITS_OWN, written


@pytest.mark.parametrize("kind, has_bus", [("watch", False), ("operate", False), ("watch", True)])
def test_a_module_gets_nowhere(container, codes, kind, has_bus):
    """Not either with a bus: an administrator may give it to a module that needs it."""
    container.root("mkdir", "-p", "/etc/pkcs11/modules")
    container.root("tee", "/etc/pkcs11/modules/hostile.module", stdin=f"module: {MODULE}\n")
    # As udev has it outside of a container
    os.chmod(container.path("/dev/net/tun"), 0o666)
    if has_bus:
        folder = "/etc/systemd/system/tokend-module-watch@.service.d"
        container.root("mkdir", folder)
        container.root("tee", f"{folder}/bus.conf", stdin=DROP_IN)
        container.root("systemctl", "daemon-reload")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
    with (
        container.popen("root", [PYTHON, "-c", LISTEN], **pipes) as listener,
        container.popen("root", ["tokenctl", "monitor"], stdout=subprocess.DEVNULL) as monitor,
    ):
        assert read_line(listener.stdout) == "ready\n"
        report = watch_again(container) if kind == "watch" else operate(container, codes)
        monitor.terminate()
        listener.terminate()
    assert len(report.attacks) > 30, report.attacks
    assert not [name for name, result in report.attacks.items() if result == "done"], report.attacks
    assert {report.attacks[name] for name in ON_HOSTS} <= {"EPERM", "EACCES", "ENOENT"}, "there was another host"
    check_reached(report.reached, SOCKETS | {BUS} if has_bus else SOCKETS)
