# SPDX-License-Identifier: LGPL-2.1-or-later
"""The units: activation, and the sandbox that each process is really in."""

import contextlib
import json
import os
import re
import subprocess

import cgroup
import pytest
from sandbox import read_line, wait_until

SECCOMP_FILTERED = "2"
OWNER_OF_THE_NAME = ["GetConnectionUnixProcessID", "s", "org.tokend.Tokend1"]


def states(container, *units):
    return [container.property(unit, "ActiveState") for unit in units]


def status_of(process):
    """What the kernel says of a process, by field."""
    with open(f"/proc/{process}/status", encoding="utf-8") as file:
        return {key: value.strip() for key, _, value in (line.partition(":") for line in file)}


def user_of(process):
    """The number of its real, effective, saved and file system user, which must be one."""
    (user,) = set(status_of(process)["Uid"].split())
    return int(user)


def check_sandbox(container, process, user):
    """What every process of ours is in."""
    status = status_of(process)
    assert user_of(process) == container.user_id(user) != 0
    assert status["NoNewPrivs"] == "1"
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert status["Seccomp"] == SECCOMP_FILTERED
    # Its files in /proc are root's: it is not dumpable, so that nobody of the same user looks into it.
    assert os.stat(f"/proc/{process}/fd").st_uid == 0
    with open(f"/proc/{process}/limits", encoding="ascii") as file:
        assert re.search(r"Max core file size +0 +0 ", file.read())


def can_write(container, process, user, path):
    """Whether the user may write there, in the process's own view of the file system."""
    number = str(container.user_id(user))
    enter = ["nsenter", "--target", str(process), "--mount", "--"]
    become = ["setpriv", "--reuid", number, "--regid", number, "--clear-groups", "--"]
    probe = ["sh", "-c", f'touch "{path}/probe" && rm "{path}/probe"']
    return subprocess.run(enter + become + probe, stderr=subprocess.DEVNULL, check=False).returncode == 0


def namespace(process, kind):
    return os.readlink(f"/proc/{process}/ns/{kind}")


def test_the_first_call_starts_the_service(container, alice):
    """After the boot only its sockets are there."""
    sockets = ["tokend-module-watch.socket", "tokend-module-operate.socket"]
    assert states(container, "tokend.service", *sockets) == ["inactive", "active", "active"]
    assert container.tokend() is None and not container.hosts()
    assert alice.tokenctl("status").returncode == 0
    assert states(container, "tokend.service", *sockets) == ["active", "active", "active"]
    owner = container.root("busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", *OWNER_OF_THE_NAME)
    assert int(owner.split()[1]) == int(container.property("tokend.service", "MainPID"))


@pytest.fixture(name="watched")
def fixture_watched(container, alice):
    """The service with a subscriber: it has a watching host for each module."""
    with container.popen("alice", ["tokenctl", "monitor"], session=alice, stdout=subprocess.PIPE, bufsize=0) as monitor:
        read_line(monitor.stdout)
        yield
        monitor.terminate()


def test_the_service_is_in_its_sandbox(container, alice):
    assert alice.tokenctl("status").returncode == 0
    process, init = container.tokend(), container.main_process("dbus.service")
    check_sandbox(container, process, "tokend")
    assert can_write(container, process, "tokend", "/var/lib/tokend")
    assert can_write(container, process, "tokend", "/run/tokend/locks")
    for folder in ("/", "/etc", "/usr", "/var/lib", "/run/tokend", "/home/alice", "/root"):
        assert not can_write(container, process, "tokend", folder), folder
        assert folder == "/run/tokend" or not can_write(container, process, "root", folder), folder
    for kind in ("mnt", "net", "user"):
        assert namespace(process, kind) != namespace(init, kind), kind


def test_watching_hosts_are_in_their_sandbox(container, watched):
    """One a module."""
    hosts, init = container.hosts("watch"), container.main_process("dbus.service")
    assert len(hosts) >= 3
    for host in hosts:
        check_sandbox(container, host, "tokend-module")
        assert namespace(host, "mnt") != namespace(init, "mnt")
        check_folders_of_a_host(container, host)


def check_folders_of_a_host(container, host):
    assert can_write(container, host, "tokend-module", "/var/tmp/eToken.cache")
    for folder in ("/", "/etc", "/usr", "/var/lib", "/var/lib/tokend", "/run", "/run/lock", "/home/alice", "/root"):
        assert not can_write(container, host, "tokend-module", folder), folder
    for folder in ("/etc", "/usr", "/var/lib", "/run"):
        assert not can_write(container, host, "root", folder), folder
    # What a module prints or logs goes nowhere.
    assert {os.readlink(f"/proc/{host}/fd/{number}") for number in (1, 2)} == {"/dev/null"}
    assert not can_write(container, host, "root", "/run/systemd/journal")


def check_no_swap(container, process):
    """Of the copies of a code that a module makes, nothing is locked: all that its unit has stays in memory."""
    groups = cgroup.folders(process)
    (unit,) = {os.path.basename(folder) for folder in groups}
    assert container.property(unit, "MemorySwapMax") == "0"
    # Where the machine has control groups of old, the kernel has no such word.
    for folder in groups:
        with contextlib.suppress(FileNotFoundError), open(f"{folder}/memory.swap.max", encoding="ascii") as file:
            assert file.read() == "0\n"


@contextlib.contextmanager
def held_unlock(container, codes, *faults):
    """Unlocks the eToken, and holds it where the token is about to see the code; gives tokenctl's process."""
    token = container.token("etoken")
    token.fault("pause C_Login", *faults)
    reading, writing = os.pipe()
    os.write(writing, codes.puk.encode())
    os.close(writing)
    new, writing = os.pipe()
    os.write(writing, codes.new_pin.encode())
    os.close(writing)
    argv = ["tokenctl", "unlock", token.label, "--puk-fd", str(reading), "--new-pin-fd", str(new)]
    with container.popen("root", argv, pass_fds=[reading, new]) as unlocking:
        os.close(reading)
        os.close(new)
        token.wait_paused()
        yield unlocking


def test_an_operating_host_is_in_its_sandbox(container, codes):
    token = container.token("etoken")
    with held_unlock(container, codes) as unlocking:
        (host,) = container.hosts("operate")
        check_sandbox(container, host, "tokend-module")
        check_folders_of_a_host(container, host)
        # The code is in memory that never goes to the disk.
        assert status_of(host)["VmLck"] != "0 kB"
        check_no_swap(container, host)
        token.clear_faults()
        assert unlocking.wait(30) == 0
    assert token.login(codes.new_pin)
    wait_until(lambda: not container.hosts("operate"), what="the end of the operating host")


def test_what_a_module_has_started_ends_with_its_host(container, codes):
    """Long before systemd would lose its patience with a process that ignores SIGTERM."""
    with held_unlock(container, codes, "child C_OpenSession operate") as unlocking:
        number = int(container.read_file(f"{container.token('etoken').folder}/paused").split()[0])
        host = container.processes()[number][0]
        (child,) = set(container.hosts("operate")) - {host}
        container.kill(host)
        wait_until(lambda: not os.path.exists(f"/proc/{child}"), what="the end of what the module has started")
        assert unlocking.wait(30) != 0


def test_pcscd_is_reached(container):
    """OpenSC's module has cards only by way of pcscd, which its socket starts when a host connects."""
    assert states(container, "pcscd.service") == ["inactive"]
    modules = json.loads(container.tokenctl("root", "modules", "--json").stdout)
    assert states(container, "pcscd.service") == ["active"]
    assert [module["state"] for module in modules if module["name"] == "opensc-pkcs11"] == ["ready"]
