# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small Debian for the containers to start from. It is made once and kept: see folder()."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

RELEASE = "bookworm"
# What the package depends on, so that it installs without a network, and what its tokens and its tests want.
PACKAGES = """dbus libglib2.0-0 libgnutls30 libjson-glib-1.0-0 libnotify4 libp11-kit0 libpam-systemd libpolkit-agent-1-0
libpolkit-gobject-1-0 opencryptoki openssl opensc p11-kit pcscd polkitd python3 softhsm2 systemd systemd-sysv""".split()

# A program that is killed in here, or with this one, leaves neither processes nor mounts.
CONTAINED = "setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc --".split()


def cache():
    """Where Debians are kept."""
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or "/var/cache", "tokend-system-test")


def name():
    """A Debian is kept for as long as the same is wanted of it."""
    architecture = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
    wanted = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:16]
    return f"{RELEASE}-{architecture}-{wanted}"


def mirror():
    """Where this machine has its own packages from."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]
    command += [f"Codename: {RELEASE}", "Component: main"]
    found = subprocess.check_output(command, text=True).splitlines()
    if not found:
        subprocess.run(["apt-get", "update", "--quiet"], stdout=sys.stderr, check=True)
        found = subprocess.check_output(command, text=True).splitlines()
    if not found:
        sys.exit(f"apt-get on this machine knows no mirror of Debian {RELEASE}")
    return found[0]


def make(folder):
    print(f"Making a Debian {RELEASE} in {folder}", file=sys.stderr)
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", RELEASE, folder, mirror()]
    with tempfile.TemporaryFile() as log:
        made = subprocess.run(CONTAINED + command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
        if made.returncode != 0:
            log.seek(0)
            sys.stderr.buffer.write(log.read())
            sys.exit("debootstrap failed")
    # What the package manager keeps is of no use here.
    subprocess.run(["chroot", folder, "apt-get", "clean"], check=True)


@contextlib.contextmanager
def locked(folder):
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def folder():
    """Returns the folder of a Debian that nobody may write in. It is made if there is none; others are then removed."""
    os.makedirs(cache(), 0o700, exist_ok=True)
    wanted = os.path.join(cache(), name())
    with locked(cache()):
        if not os.path.exists(wanted):
            for entry in os.listdir(cache()):
                shutil.rmtree(os.path.join(cache(), entry))
            # It has its name once it is whole; what was interrupted is removed the next time, at the latest.
            unfinished = f"{wanted}.unfinished"
            try:
                make(unfinished)
                os.rename(unfinished, wanted)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return wanted
