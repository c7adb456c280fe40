# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sandbox's pcscd with its virtual readers, and the programs that are the cards in them."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../lib"))
from inside import SYSTEM_PATH, is_listening  # noqa: E402
from namespaces import mount  # noqa: E402
from sandbox import read_line  # noqa: E402

READERS = "/run/sandbox/readers"  # pcscd's configuration
SOCKET = "/run/pcscd/pcscd.comm"
START_DEADLINE = 30

# Debian's drivers, of which this one has two readers on two ports in a row; see vpcd.py.
DRIVERS = "/usr/lib/pcsc/drivers"
DRIVER = f"{DRIVERS}/serial/libifdvpcd.so"
READER = """\
FRIENDLYNAME "Virtual PCD"
DEVICENAME /dev/null:0x8C7B
LIBPATH {library}
CHANNELID 0x8C7B
"""


def start_pcscd(folder):
    """Unless another card's setup did it."""
    os.makedirs(READERS, exist_ok=True)
    lock = os.open(READERS, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not is_listening(SOCKET):
        library = shutil.copy(DRIVER, "/run/sandbox")
        with open(f"{READERS}/virtual", "w", encoding="ascii") as file:
            file.write(READER.format(library=library))
        # The machine's own readers are left alone: there is no driver for any that is found.
        mount("tmpfs", DRIVERS, "tmpfs")
        with open(os.path.join(folder, "pcscd.log"), "ab") as log:
            daemon = subprocess.Popen(
                ["pcscd", "--foreground", "--config", READERS],
                env={"PATH": SYSTEM_PATH},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_DEADLINE
        while not is_listening(SOCKET):
            if daemon.poll() is not None or time.monotonic() > deadline:
                sys.exit("pcscd does not start")
            time.sleep(0.002)
    os.close(lock)


def start_card(settings):
    """Returns when it is in its reader and has power, which is when pcscd knows of it."""
    program = os.path.join(os.path.dirname(os.path.realpath(__file__)), "main.py")
    with open(settings["log"], "ab") as log:
        card = subprocess.Popen(
            [program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    card.stdin.write(json.dumps(settings).encode())
    card.stdin.close()
    if read_line(card.stdout, START_DEADLINE, "power for the card") != "ready\n":
        sys.exit("the card does not get power")
