# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is installed, where, and what it is made of."""

import os
import re
import shutil
import subprocess
import tempfile
from xml.etree import ElementTree

import pytest
from sandbox import PYTHON, SOURCE

# Conventional places, for the prefix /usr
INSTALLED = """
etc/xdg/autostart/org.tokend.Notify.desktop
usr/bin/tokenctl
usr/bin/tokend-notify
usr/bin/tokend-notify-unlock
usr/lib/systemd/catalog/tokend.catalog
usr/lib/systemd/catalog/tokend.tr.catalog
usr/lib/systemd/system/tokend-module-operate.socket
usr/lib/systemd/system/tokend-module-operate@.service
usr/lib/systemd/system/tokend-module-watch.socket
usr/lib/systemd/system/tokend-module-watch@.service
usr/lib/systemd/system/tokend.service
usr/lib/systemd/user/tokend-notify.service
usr/lib/systemd/catalog/tokend.catalog
usr/lib/systemd/catalog/tokend.tr.catalog
usr/lib/sysusers.d/tokend.conf
usr/lib/tmpfiles.d/tokend.conf
usr/libexec/tokend
usr/libexec/tokend-module
usr/share/bash-completion/completions/tokenctl
usr/share/dbus-1/interfaces/org.tokend.Tokend1.xml
usr/share/dbus-1/system-services/org.tokend.Tokend1.service
usr/share/dbus-1/system.d/org.tokend.Tokend1.conf
usr/share/locale/tr/LC_MESSAGES/tokend.mo
usr/share/man/man1/tokenctl.1
usr/share/man/man1/tokend-notify-unlock.1
usr/share/man/man1/tokend-notify.1
usr/share/man/man5/tokend-profiles.5
usr/share/man/man8/tokend-module.8
usr/share/man/man8/tokend.8
usr/share/polkit-1/actions/org.tokend.policy
usr/share/polkit-1/rules.d/org.tokend.rules
usr/share/zsh/site-functions/_tokenctl
""".split()
INSTALLED += [f"usr/share/tokend/profiles.d/{name}" for name in os.listdir(f"{SOURCE}/service/data/profiles")]
INSTALLED += [f"usr/share/tokend/opensc/{name}" for name in os.listdir(f"{SOURCE}/service/data/opensc")]
UNITS = [
    "tokend.service",
    "tokend-module-watch.socket",
    "tokend-module-operate.socket",
    "tokend-module-watch@1.service",
    "tokend-module-operate@1.service",
]
EVERY_CLIENTS_METHODS = [
    ("Introspectable", "Introspect"),
    ("ObjectManager", "GetManagedObjects"),
    ("Peer", "Ping"),
    ("Properties", "Get"),
    ("Properties", "GetAll"),
]
FORBIDDEN = re.compile(r"C_(InitToken|DestroyObject|CreateObject|CopyObject|SetAttributeValue|GenerateKey\w*)")


def run(*argv, **more):
    """Runs a program, which must succeed; returns what it printed, of both kinds."""
    finished = subprocess.run(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more
    )
    assert finished.returncode == 0, finished.stdout
    return finished.stdout


@pytest.fixture(name="root", scope="module")
def fixture_root():
    """A folder into which all was installed."""
    with tempfile.TemporaryDirectory() as folder:
        build = run(PYTHON, "-B", f"{SOURCE}/tests/lib/prepare.py").strip()
        owner = os.stat(SOURCE)  # the build folder is a person's own
        os.chown(folder, owner.st_uid, owner.st_gid)
        root = os.path.join(folder, "root")
        run(
            *("meson", "install", "-C", build, "--no-rebuild", "--destdir", root),
            user=owner.st_uid,
            group=owner.st_gid,
            extra_groups=[],
        )
        yield root


def installed_files(root):
    for folder, _, names in os.walk(root):
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root)


def wanted_mode(path):
    if path == "usr/libexec/tokend-module":
        return 0o711  # readable, it could be traced before it forbids that
    return 0o755 if path.startswith(("usr/bin/", "usr/libexec/")) else 0o644


def test_everything_is_in_its_place(root):
    """No more and no less; executables can be executed, and nobody but their owner may write."""
    assert set(installed_files(root)) == set(INSTALLED)
    for path in INSTALLED:
        mode = os.stat(os.path.join(root, path)).st_mode & 0o777
        assert mode == wanted_mode(path), path


def test_the_placeholders_are_filled(root):
    """What the build puts into the units and the activation file leads to what is installed."""
    for path in INSTALLED:
        if path.endswith((".service", ".socket")):
            with open(os.path.join(root, path), encoding="utf-8") as file:
                text = file.read()
            assert not re.search(r"@\w+@", text), path
            for program in re.findall(r"^Exec(?:Start)?=(\S+)", text, re.MULTILINE):
                assert os.access(root + program, os.X_OK), path


def test_systemd_takes_the_units(root):
    """By systemd-analyze verify, with nothing to complain of; they need of the machine what every machine has."""
    with tempfile.TemporaryDirectory() as folder:
        whole = os.path.join(folder, "root")
        shutil.copytree(root, whole)
        units = "usr/lib/systemd/system"
        for name in os.listdir(f"/{units}"):
            if name.endswith((".target", ".slice", ".mount")) or name.startswith("dbus."):
                shutil.copy(f"/{units}/{name}", f"{whole}/{units}", follow_symlinks=False)
        shutil.copy("/usr/bin/dbus-daemon", f"{whole}/usr/bin")
        assert run("systemd-analyze", "verify", "--man=no", f"--root={whole}", *UNITS) == ""


@pytest.mark.parametrize(
    "unit, most",
    [("tokend.service", 1.0), ("tokend-module-watch@.service", 1.5), ("tokend-module-operate@.service", 1.5)],
)
def test_the_exposure_is_small(root, unit, most):
    """By systemd-analyze security: the service, and even the hosts, which must reach hardware."""
    path = os.path.join(root, "usr/lib/systemd/system", unit)
    told = run("systemd-analyze", "security", "--offline=true", "--no-pager", path)
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    print(exposure[0])
    assert float(exposure[1]) <= most, told


def test_journalctl_compiles_the_catalog(root):
    """Each message id of the header, in both languages."""
    with open(f"{SOURCE}/service/journal/journal.h", encoding="utf-8") as file:
        ids = set(re.findall(r'^#define TOKEND_MESSAGE_\w+ "(\w+)"$', file.read(), re.MULTILINE))
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(f"{root}/usr/lib/systemd/catalog", f"{folder}/usr/lib/systemd/catalog")
        os.makedirs(f"{folder}/var/lib/systemd/catalog")
        assert run("journalctl", "--update-catalog", f"--root={folder}") == ""
        with open(f"{folder}/var/lib/systemd/catalog/database", "rb") as file:
            database = file.read()
    assert len(ids) > 5
    # An entry begins with the id's 16 bytes and the language, of 32.
    for language in (b"", b"tr"):
        for message_id in ids:
            assert bytes.fromhex(message_id) + language.ljust(32, b"\0") in database, (language, message_id)


def test_the_users_are_made(root):
    """Two of them, by systemd-sysusers, on a machine that has neither."""
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f"{folder}/usr/lib/sysusers.d")
        shutil.copy(f"{root}/usr/lib/sysusers.d/tokend.conf", f"{folder}/usr/lib/sysusers.d")
        told = run("systemd-sysusers", f"--root={folder}", "--dry-run")
    assert re.findall(r"^Creating user '(\S+)'", told, re.MULTILINE) == ["tokend", "tokend-module"]


def test_the_interface_tells_of_every_error(root):
    """The errors of the enum, and no other, are in the XML, with what each says of the tries."""
    with open(f"{SOURCE}/dbus/tokend-error.h", encoding="utf-8") as file:
        names = re.findall(r"^\s*TOKEND_ERROR_([A-Z_]+)\b", file.read(), re.MULTILINE)
    errors = {"".join(word.capitalize() for word in name.split("_")) for name in names}
    assert len(errors) > 15 and "OutcomeUnknown" in errors

    with open(f"{root}/usr/share/dbus-1/interfaces/org.tokend.Tokend1.xml", encoding="utf-8") as file:
        text = file.read()
    table = text[text.index("no try was spent") : text.index("Only Finish")]
    told = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)*\b", re.sub(r"\([^)]*\)", "", table)))
    assert told == errors


def test_the_policy_of_the_bus_fits_the_interface(root):
    """All is denied, then each method of the interface allowed, and what every client of a bus needs."""
    interface = ElementTree.parse(f"{root}/usr/share/dbus-1/interfaces/org.tokend.Tokend1.xml").getroot()
    methods = {(i.get("name"), m.get("name")) for i in interface.iter("interface") for m in i.iter("method")}
    policy = ElementTree.parse(f"{root}/usr/share/dbus-1/system.d/org.tokend.Tokend1.conf").getroot()
    name = {"send_destination": "org.tokend.Tokend1"}
    owner, everyone = policy.findall("policy")
    assert (owner.attrib, [rule.attrib for rule in owner]) == ({"user": "tokend"}, [{"own": "org.tokend.Tokend1"}])
    denied, *allowed = everyone
    assert (everyone.attrib, denied.tag, denied.attrib) == ({"context": "default"}, "deny", name)
    assert {rule.tag for rule in allowed} == {"allow"}
    wanted = methods | {(f"org.freedesktop.DBus.{rule[0]}", rule[1]) for rule in EVERY_CLIENTS_METHODS}
    # No descriptor of a stranger's comes in.
    rules = [{"send_interface": i, "send_member": m, "max_fds": "0", **name} for i, m in sorted(wanted)]
    assert sorted((rule.attrib for rule in allowed), key=lambda rule: tuple(rule.values())[1:]) == rules


def needed(path):
    """The libraries that a program asks for itself."""
    return set(re.findall(r"\(NEEDED\).*\[(\S+)\]", run("readelf", "--dynamic", "--wide", path)))


def test_the_service_knows_no_pkcs11(root):
    """tokend and the clients have no way to load a module or to call one; the host has no polkit and no way out."""
    for program in ("usr/libexec/tokend", "usr/bin/tokenctl", "usr/bin/tokend-notify"):
        libraries = needed(os.path.join(root, program))
        assert not {library for library in libraries if "p11" in library or "pkcs11" in library}
        symbols = run("nm", "--dynamic", os.path.join(root, program))
        assert not re.search(r"\b(dlopen|dlmopen|p11_kit_\w+|C_\w+|g_module_open)\b", symbols)
    host = needed(os.path.join(root, "usr/libexec/tokend-module"))
    assert any(library.startswith("libp11-kit") for library in host)
    assert not {library for library in host if "polkit" in library}
    tokend = run("nm", "--dynamic", os.path.join(root, "usr/libexec/tokend"))
    assert not re.search(r"\b(exec\w*|posix_spawn\w*|v?fork|system|popen|g_spawn\w*|g_subprocess\w*)@?", tokend)


def test_no_destructive_function_is_named(root):
    """What the host may call it names; a function that destroys, nobody does, in the program or in its source."""
    text = run("strings", "--data", os.path.join(root, "usr/libexec/tokend-module"))
    assert "C_Login" in text, "the search works"
    assert not FORBIDDEN.search(text)
    for folder, _, names in os.walk(f"{SOURCE}/service"):
        for name in filter(lambda name: name.endswith((".c", ".h")), names):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                # Comments may say what is not called, and the compiler may be told to refuse it.
                source = re.sub(r"/\*.*?\*/|^#pragma GCC poison .*?$", "", file.read(), flags=re.DOTALL | re.MULTILINE)
            assert not FORBIDDEN.search(source), name
            if "/service/host" not in folder:
                assert not re.search(r"#include.*(p11-kit|pkcs11)", source), name


def test_programs_are_hardened(root):
    """Position-independent, relocations read-only, no executable stack."""
    for program in (path for path in INSTALLED if path.startswith(("usr/bin/", "usr/libexec/"))):
        path = os.path.join(root, program)
        assert "DYN (Position-Independent Executable" in run("readelf", "--file-header", path), program
        assert re.search(r"FLAGS.*(BIND_NOW|NOW)", run("readelf", "--dynamic", path)), program
        headers = run("readelf", "--program-headers", "--wide", path)
        assert "GNU_RELRO" in headers
        assert re.search(r"GNU_STACK.* RW ", headers), program
