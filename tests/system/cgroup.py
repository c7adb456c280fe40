# SPDX-License-Identifier: LGPL-2.1-or-later
"""A control group of our own, below which the containers have theirs, and which goes when they are over."""

import contextlib
import os
import sys

from sandbox import wait_until


def folders(process="self"):
    """The folders of a process's control group that systemd looks at: a real one, its own hierarchy of old, or both."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = [line.split()[1:4] for line in file]
    with open(f"/proc/{process}/cgroup", encoding="utf-8") as file:
        paths = {names: path for _, names, path in (line.rstrip("\n").split(":", 2) for line in file)}
    found = []
    for folder, kind, options in mounts:
        names = "" if kind == "cgroup2" else "name=systemd" if "name=systemd" in options.split(",") else None
        if names in paths:
            found.append(folder + paths[names].rstrip("/"))
    return found


def join(folder):
    with open(f"{folder}/cgroup.procs", "w", encoding="ascii") as file:
        file.write(str(os.getpid()))


def remove(folder):
    """With all below it, once the last process there is gone."""
    for path, _, _ in os.walk(folder, topdown=False):

        def is_removed(path=path):
            with contextlib.suppress(OSError):
                os.rmdir(path)
            return not os.path.exists(path)

        wait_until(is_removed, what=f"the end of all in {path}")


@contextlib.contextmanager
def own():
    """This process is in a control group of its own. systemd, where it runs, has to give us one: begin_scope()."""
    before = folders()
    made = [f"{folder}/tokend-system-test-{os.getpid()}" for folder in before]
    try:
        for folder in made:
            os.mkdir(folder)
            join(folder)
        yield
    finally:
        for folder in before:
            join(folder)
        for folder in made:
            remove(folder)


def begin_scope():
    """Where systemd runs: runs this program again in a scope, whose control groups are ours to divide."""
    if os.path.isdir("/run/systemd/system") and "TOKEND_SCOPE" not in os.environ:
        command = ["systemd-run", "--quiet", "--scope", "--property=Delegate=yes", "--setenv=TOKEND_SCOPE=1", "--"]
        os.execvp(command[0], [*command, sys.executable, "-B", *sys.argv])
