# SPDX-License-Identifier: LGPL-2.1-or-later
"""A container for each test: with the package in it, two users and a token of each kind."""

import collections
import contextlib
import os
import random
import re
import shutil
import string
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../lib"))
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from container import Container  # noqa: E402

KINDS = ("etoken", "opencryptoki", "softhsm")
USERS = ("alice", "bob")
# What may never stand in the journal, whatever is done.
BUG = re.compile(r"-CRITICAL \*\*|\bCRITICAL:|assertion failed|Segmentation fault|dumped core|status=31/SYS")

# changes: the layer; tokens: their settings; passwords: the users'
Installed = collections.namedtuple("Installed", "changes tokens passwords")


def pytest_addoption(parser):
    parser.addoption("--debian", help="the folder of a Debian, which is not written in")
    parser.addoption("--packages", help="the packages of this tree")
    parser.addoption("--build", help="the build folder")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A test that fails shows what was said in its containers."""
    report = (yield).get_result()
    if report.failed:
        for container in getattr(item, "containers", ()):
            with contextlib.suppress(Exception):
                report.sections.append(("the journal", container.logs()))


class Codes:
    """Random codes, by name, which the journal holds by no other chance: of letters, where it is full of digits."""

    def __init__(self):
        self._codes = collections.defaultdict(lambda: "".join(random.choices(string.ascii_letters, k=8)))

    def __getattr__(self, name):
        return self._codes[name]

    def forget(self, *names):
        """They are not codes any more."""
        for name in names:
            del self._codes[name]

    def find(self, data):
        """The names of the codes that are in the data, as they are or in hexadecimal."""
        shapes = {name: (code.encode(), code.encode().hex().encode()) for name, code in self._codes.items()}
        return {name for name, codes in shapes.items() if any(code in data for code in codes)}


@pytest.fixture(scope="session", name="codes")
def fixture_codes():
    return Codes()


@pytest.fixture(scope="session", name="packages")
def fixture_packages(request):
    """The paths of the packages."""
    return request.config.getoption("--packages").split(":")


@pytest.fixture(scope="session", name="make_container")
def fixture_make_container(request):
    """Gives a function that makes a container, to be entered, of the Debian with these changes."""

    def make(*changes, tokens=()):
        layers = [*changes, request.config.getoption("--debian")]
        return Container(layers, tokens, request.config.getoption("--build"))

    return make


def install(container, packages):
    """As an administrator does."""
    container.root("mkdir", "-p", "/root/packages")
    for path in packages:
        shutil.copy(path, container.path("/root/packages"))
    paths = [f"/root/packages/{os.path.basename(path)}" for path in packages]
    command = ["apt-get", "install", "--yes", "--allow-downgrades", "--no-install-recommends", *paths]
    return container.root(*command, env={"DEBIAN_FRONTEND": "noninteractive"}, timeout=120)


@pytest.fixture(scope="session", name="installed")
def fixture_installed(make_container, packages, codes):
    """A layer with the package, users and tokens."""
    passwords = {user: getattr(codes, user) for user in USERS}
    with make_container() as container:
        install(container, packages)
        for user in USERS:
            container.root("useradd", "--create-home", "--shell", "/bin/bash", user)
        container.root("chpasswd", stdin="".join(f"{user}:{code}\n" for user, code in passwords.items()))
        # openCryptoki asks the group's own line.
        container.root("usermod", "--append", "--groups", "pkcs11", "tokend-module")
        container.root("usermod", "--append", "--groups", "pkcs11", "alice")
        tokens = [container.make_token(kind, codes.pin, codes.puk) for kind in KINDS]
        yield Installed(container.freeze(), tokens, passwords)


@pytest.fixture
def container(request, installed, make_container, codes):
    """Just booted: nobody has called the service yet."""
    with make_container(installed.changes, tokens=installed.tokens) as made:
        request.node.containers = [made]
        yield made
        assert not codes.find(made.export())
        found = BUG.search(made.logs())
        assert not found, found


@pytest.fixture
def alice(container):
    """Her session on the seat, the active one."""
    return container.login("alice")
