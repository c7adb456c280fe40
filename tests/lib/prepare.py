#!/usr/bin/python3 -B
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installs what is missing and builds; prints the build folder.

Both cost next to nothing when there is nothing to do. TOKEND_BUILD names another build folder, already set up, for a
build with sanitizers.
"""

import fcntl
import os
import subprocess
import sys

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
# Only the tests want these, so that building alone does not make them.
TEST_TARGETS = ["tests/tokens/etoken/key.pem"]
# The variable that names the build folder to the children of a program that has prepared it.
PREPARED = "TOKEND_PREPARED"


def become_root():
    """Runs the same command again by sudo, unless this is root already."""
    if os.geteuid() != 0:
        keep = "TOKEND_BUILD,TOKEND_PACKAGES,NO_COLOR,LANG,LANGUAGE,LC_ALL,TERM"
        keep += ",ASAN_OPTIONS,UBSAN_OPTIONS,LSAN_OPTIONS,TSAN_OPTIONS"
        os.execvp("sudo", ["sudo", f"--preserve-env={keep}", "--", sys.executable, "-B", *sys.argv])


def install_packages(path=os.path.join(SOURCE, "tests/lib/packages")):
    """path: a file that names them, one a line."""
    with open(path, encoding="ascii") as file:
        wanted = [line.strip() for line in file if not line.startswith("#")]
    query = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\n", *wanted],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    installed = {line.split()[1] for line in query.stdout.splitlines() if line.startswith("installed ")}
    missing = [package for package in wanted if package not in installed]
    if not missing:
        return
    print("Installing", *missing, file=sys.stderr)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing]
    for command in (["apt-get", "update", "--quiet"], install):
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=True)


def run_as_owner(command, **more):
    """The clone is a person's own: what is written in it shall not be root's. Returns a CompletedProcess."""
    owner = os.stat(SOURCE)
    return subprocess.run(
        command,
        cwd=SOURCE,
        user=owner.st_uid,
        group=owner.st_gid,
        extra_groups=[],
        umask=0o022,
        stdin=subprocess.DEVNULL,
        check=False,
        **more,
    )


def give_to_owner(folder):
    """What root wrote in the folder becomes the owner's of the clone."""
    owner = os.stat(SOURCE)
    for _, folders, files, descriptor in os.fwalk(folder):
        for name in folders + files:
            if os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_uid == 0:
                os.chown(name, owner.st_uid, owner.st_gid, dir_fd=descriptor, follow_symlinks=False)


def run_quietly(command):
    """Shows what it says only if it fails, which ends this program."""
    built = run_as_owner(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if built.returncode != 0:
        sys.stderr.buffer.write(built.stdout)
        sys.exit(f"{command[0]} failed")


def build(folder):
    """Builds in that folder, which need not be there."""
    lock = os.open(SOURCE, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        run_quietly(["meson", "setup", folder])
    run_quietly(["ninja", "-C", folder, "all", *TEST_TARGETS])
    os.close(lock)


def prepare():
    """Returns the build folder, built; once for a program and all that it starts."""
    folder = os.path.abspath(os.environ.get("TOKEND_BUILD", os.path.join(SOURCE, "_build")))
    if os.environ.get(PREPARED) != folder:
        install_packages()
        build(folder)
        os.environ[PREPARED] = folder
    return folder


if __name__ == "__main__":
    become_root()
    try:
        print(prepare())
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed")
