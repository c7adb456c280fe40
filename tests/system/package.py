# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian packages of this tree."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from debian import CONTAINED
from prepare import SOURCE

# The tests have their own places; here the package is built.
OPTIONS = {"DEB_BUILD_OPTIONS": "nocheck nodoc noautodbgsym", "DEB_BUILD_PROFILES": "nocheck"}


def copy_tree(target):
    """What is in the tree, committed or not, but not what was built there."""
    command = ["git", "-c", f"safe.directory={SOURCE}", "-C", SOURCE, "ls-files", "-z", "--cached", "--others"]
    names = subprocess.check_output([*command, "--exclude-standard"]).decode().split("\0")
    for name in filter(None, names):
        source, copy = os.path.join(SOURCE, name), os.path.join(target, name)
        if os.path.lexists(source):  # removed, but not committed yet
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy2(source, copy, follow_symlinks=False)


def run(*command, within=(), **more):
    """Shows what it says only if it fails, which ends this program."""
    with tempfile.TemporaryFile() as log:
        more |= {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        finished = subprocess.run([*within, *command], check=False, **more)
        if finished.returncode != 0:
            log.seek(0)
            sys.stderr.buffer.write(log.read())
            sys.exit(f"{command[0]} failed")


def list_packages(folder):
    """The paths of those in the folder that a person installs."""
    return sorted(
        os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".deb") and "-dbgsym_" not in name
    )


def build(folder):
    """Builds the packages in a folder."""
    tree = os.path.join(folder, "tree")
    copy_tree(tree)
    if subprocess.run(["dpkg-checkbuilddeps"], cwd=tree, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        run("apt-get", "update", "--quiet")
        run("apt-get", "build-dep", "--yes", "--quiet", tree, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    command = ["dpkg-buildpackage", "--build=binary", "--unsigned-changes", "--unsigned-buildinfo"]
    run(*command, within=CONTAINED, cwd=tree, env=os.environ | OPTIONS)


def lower(package, folder):
    """Makes the same package of a lower version, and returns its path."""
    unpacked = tempfile.mkdtemp(dir=folder)
    run("dpkg-deb", "--raw-extract", package, unpacked)
    control = os.path.join(unpacked, "DEBIAN/control")
    with open(control, encoding="utf-8") as file:
        text = file.read()
    with open(control, "w", encoding="utf-8") as file:
        # A tilde sorts before anything.
        file.write(re.sub(r"^(Version: .*|.*\(= [^)]*)", lambda found: found[0] + "~before", text, flags=re.M))
    path = os.path.join(unpacked + "-" + os.path.basename(package))
    run("dpkg-deb", "--root-owner-group", "--build", unpacked, path)
    return path
