# SPDX-License-Identifier: LGPL-2.1-or-later
"""The disk fails at each step of a record."""

import contextlib
import os
import subprocess

import pytest
from client import Client
from sandbox import TIMEOUT, read_line
from support import sent

PIN, PUK, NEW_PIN = "1234", "12345678", "4321"
CODES = {"Unlock": ("puk", PUK, "C_Login"), "SetPin": ("pin", PIN, "C_SetPIN")}
STATE = "/var/lib/tokend"


@contextlib.contextmanager
def injected(sandbox, syscall, what, path=None):
    """In the block, a system call of tokend's is as strace's inject=SYSCALL: says; path: only where it is about this."""
    command = ["strace", "-f", "-o", "/dev/null", "-p", str(sandbox.tokend())]
    command += ["-e", f"trace={syscall}", "-e", f"inject={syscall}:{what}", *(["-P", path] if path else [])]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while "attached" not in read_line(process.stderr, what="strace"):
            assert process.poll() is None
        yield
    finally:
        # Asked to end, it would wait for a process that was killed while it was held.
        process.kill()
        process.wait(TIMEOUT)
        process.stderr.close()


def state_files(sandbox):
    """The names in the state folder."""
    return sorted(os.listdir(sandbox.path(STATE)))


# What may fail when the ledger is written: the system call, and the path if it is about the folder. Each thread's calls
# count from 1, and one thread writes the ledger.
DISK = {
    "the file on the disk": ("fsync", ":when=1", None),
    "the file's name": ("rename", ":when=1", None),
    "the folder on the disk": ("fsync", "", STATE),
}


@pytest.mark.parametrize("what", DISK)
@pytest.mark.parametrize("method", CODES)
def test_disk_error(sandbox, method, what):
    """A try that is not on the disk, file and folder, is not made; and the next one is."""
    token = sandbox.token("etoken")
    syscall, when, path = DISK[what]
    _, code, _ = CODES[method]
    with Client(sandbox, "alice") as alice:
        for error in ("EIO", "ENOSPC"):
            with injected(sandbox, syscall, f"error={error}{when}", path):
                reply = alice.call(method, code, NEW_PIN)
            assert reply.error == "Failed" and "nothing was sent" in reply.message, reply
            assert not sent(token)
        assert alice.call(method, code, NEW_PIN).error is None
        assert token.login(NEW_PIN)
        assert state_files(sandbox) == ["ledger"]
