# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Debian that is booted for a test, with the real systemd, logind, journald and polkitd in it.

    with Container([debian.folder()]) as container:
        seat = container.login("alice")
        container.tokenctl("alice", "status", session=seat)

A sandbox (tests/lib/sandbox.py) differs from it in who starts the daemons; what a test does in either is the same.
Nothing in it has a way to the network, and what is written in it goes with it.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

import cgroup
from namespaces import mount
from prepare import SOURCE
from sandbox import BUILD, FOLDER, SYSTEM_PATH, TIMEOUT, Program, Sandbox, Token, wait_until

REBOOT = 133  # how systemd-nspawn ends when it is to be started again
HALTED = 0
# Where the units let a module write, and where it is still after a reboot: SafeNet's library does, and so do Debian's.
TOKENS = {
    "etoken": "/var/tmp/eToken.cache/etoken",
    "opencryptoki": "/root/opencryptoki",  # nothing is in there
    "softhsm": "/var/lib/softhsm/token",
}
SERIAL = "02a0b1c1"  # the eToken's
# The build folder again: modules are loaded from here, since the units show them nothing of /run.
MODULES = "/opt/build"


class Container(Sandbox):
    """layers: folders that nobody writes in, the uppermost first; tokens: settings that make_token() returned."""

    def __init__(self, layers, tokens=(), build=None):
        super().__init__()
        self._layers = layers
        self._build = build or os.path.join(SOURCE, "_build")
        self._room = self._root = None
        self._sessions = 0
        self.add_tokens(tokens)

    def add_tokens(self, tokens):
        for settings in tokens:
            self.tokens[settings["name"]] = Token(self, settings)

    # Beginning and end

    def __enter__(self):
        self._room = tempfile.mkdtemp(dir="/run")
        self._root = f"{self._room}/root"
        for name in ("root", "changes", "work"):
            os.mkdir(f"{self._room}/{name}")
        options = f"lowerdir={':'.join(self._layers)},upperdir={self._room}/changes,workdir={self._room}/work"
        mount("overlay", self._root, "overlay", options=options)
        try:
            self.boot()
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        self.cut_power()
        self._unmount()
        shutil.rmtree(self._room)

    def _unmount(self):
        if os.path.ismount(self._root):
            subprocess.run(["umount", self._root], check=True)

    def freeze(self):
        """Ends it in good order; returns the folder of what was changed, as a layer for others."""
        self._end("poweroff", HALTED)
        self._unmount()
        return f"{self._room}/changes"

    def boot(self):
        command = ["systemd-nspawn", "--quiet", "--settings=no", "--register=no", "--keep-unit", "--link-journal=no"]
        command += [f"--directory={self._root}", "--hostname=debian", "--console=pipe", "--boot"]
        # Without it memory cannot be locked, and then a module host takes no code.
        command += ["--capability=CAP_IPC_LOCK"]
        command += [f"--bind-ro={SOURCE}:{FOLDER}/source", f"--bind-ro={self._build}:{BUILD}"]
        command += [f"--bind-ro={self._build}:{MODULES}"]
        with open(f"{self._room}/console", "ab") as console:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            wait_until(self._is_running, what="a system that is running")
        except TimeoutError as error:
            raise RuntimeError(self._why_not()) from error

    def _is_running(self):
        """Whether all that is to run at the start does."""
        if self._process.poll() is not None:
            raise RuntimeError(self._why_not())
        with open(f"/proc/{self._process.pid}/task/{self._process.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        with contextlib.suppress(OSError):
            # systemd-nspawn has another child before it has this one.
            if len(children) == 1 and os.readlink(f"/proc/{children[0]}/ns/pid") != os.readlink("/proc/self/ns/pid"):
                self._first_process = int(children[0])
                return self.run("root", ["systemctl", "is-system-running"]).stdout == "running\n"
        return False

    def _why_not(self):
        with open(f"{self._room}/console", encoding="utf-8", errors="replace") as file:
            said = file.read()
        if self._process.poll() is None:
            said += self.run("root", ["systemctl", "--failed", "--no-pager"]).stdout
        return said.strip() or f"systemd-nspawn ended with {self._process.poll()}"

    def _end(self, verb, status):
        # The program that asks for it may end with the system.
        self.run("root", ["systemctl", verb])
        self._wait_for_end(status)

    def _wait_for_end(self, status):
        ended = self._process.wait(TIMEOUT)
        assert ended == status, f"systemd-nspawn ended with {ended}: {self._why_not()}"

    def reboot(self):
        """In good order; its sessions end."""
        self._end("reboot", REBOOT)
        self.boot()

    def come_back(self):
        """Waits for the end of a reboot that has begun."""
        self._wait_for_end(REBOOT)
        self.boot()

    def cut_power(self):
        """Nobody inside is told."""
        if self._process and self._process.poll() is None:
            if self._first_process and os.path.exists(f"/proc/{self._first_process}"):
                os.kill(self._first_process, signal.SIGKILL)
            else:
                self._process.kill()
            self._process.wait(TIMEOUT)
        self._first_process = None

    # Programs

    def _environment(self, user, more):
        home = "/root" if user == "root" else f"/home/{user}"
        environment = {"HOME": home, "USER": user, "LOGNAME": user, "LANG": "C.UTF-8", "TERM": "xterm"}
        return environment | {"PATH": SYSTEM_PATH} | (more or {})

    def popen(self, user, argv, env=None, session=None, **more):
        """As a sandbox's; session: what login() returned, which the program is then a process of. Of none: as if
        systemd had started it."""
        target = str(self._first_process)
        enter = ["nsenter", "--target", target, "--mount", "--pid", "--ipc", "--net", "--uts", "--cgroup", "--wd=/"]
        become = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--pdeathsig", "KILL"]
        groups = session.control_groups() if session else cgroup.folders(target)
        join = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"'
        command = ["sh", "-c", join, "sh", *groups, "--", *enter, "--", *become, *argv]
        return Program(command, env=self._environment(user, env), **more)

    def root(self, *argv, **more):
        """Runs a program that must succeed, as root; returns what it prints."""
        finished = self.run("root", list(argv), **more)
        assert finished.returncode == 0, f"{argv} ended with {finished.returncode}: {finished.stdout}{finished.stderr}"
        return finished.stdout

    # Users

    def login(self, user, seat=True):
        """Begins a session, as a display manager does (the last one begun is the active one of the seat), or, without a
        seat, as sshd does."""
        self._sessions += 1
        unit = f"session-of-{user}-{self._sessions}.service"
        # Not Type=exec: systemd 252 then waits for PAM's own process too.
        command = ["systemd-run", "--quiet", f"--unit={unit}", "--property=PAMName=login", f"--property=User={user}"]
        if seat:
            command += ["--setenv=XDG_SEAT=seat0", "--setenv=XDG_SESSION_TYPE=x11"]
        self.root(*command, "sleep", "infinity")
        return Session(self, user, unit)

    # Tokens

    def make_token(self, kind, pin, puk):
        """Makes a token, as tests/sandbox does, and tells p11-kit of its module; returns its settings."""
        token = {"kind": kind, "name": kind, "label": kind.upper(), "serial": SERIAL, "folder": TOKENS[kind]}
        token |= {"pin": pin, "puk": puk, "built": MODULES, "log": "/dev/null", "more": {}}
        self._make_room_for(kind)
        setup = f"{FOLDER}/source/tests/tokens/{kind}/setup"
        token["module"] = self.root(setup, stdin=json.dumps(token)).strip()
        # The package of SoftHSM2 does this itself.
        if kind != "softhsm":
            self.root("mkdir", "-p", "/etc/pkcs11/modules")
            self.root("tee", f"/etc/pkcs11/modules/{kind}.module", stdin=f"module: {token['module']}\n")
        self.add_tokens([token])
        return token

    def _make_room_for(self, kind):
        """For what tests/tokens/*/setup finds empty in a sandbox; its daemon is Debian's own again after a reboot."""
        if kind == "etoken":
            self.root("install", "--directory", "--mode=1777", os.path.dirname(TOKENS[kind]))
        if kind == "opencryptoki":
            self.root("systemctl", "stop", "pkcsslotd")
            self.root("rm", "-rf", "/run/lock/opencryptoki")
            # Debian's does not always end when it is told to, and would hold up a reboot.
            self.root("mkdir", "/etc/systemd/system/pkcsslotd.service.d")
            drop_in = "/etc/systemd/system/pkcsslotd.service.d/stop.conf"
            self.root("tee", drop_in, stdin="[Service]\nTimeoutStopSec=1\n")
        if kind == "softhsm":
            self.root("chmod", "o+x", "/var/lib/softhsm")

    # Units

    def property(self, unit, name):
        return self.root("systemctl", "show", f"--property={name}", "--value", unit).strip()

    def main_process(self, unit):
        """The number outside of a unit's main process; None if it has none."""
        found = self.processes().get(int(self.property(unit, "MainPID")))
        return found[0] if found else None

    def tokend(self):
        return self.main_process("tokend.service")

    def entries(self, *matches):
        """The journal's entries that match, each a dict of its fields."""
        self.root("journalctl", "--sync")
        shown = self.root("journalctl", "--output=json", *matches)
        return [json.loads(line) for line in shown.splitlines()]

    def export(self):
        """The whole journal with all fields, as bytes."""
        self.root("journalctl", "--sync")
        return self.root("journalctl", "--output=export", "--all").encode()

    def journal(self):
        """All that tokend has said, also before a reboot."""
        return self.root("journalctl", "--unit=tokend.service")

    def logs(self):
        """All that anybody inside has said."""
        return self.root("journalctl", "--all")


class Session:
    """A session of logind's."""

    def __init__(self, container, user, unit):
        self._container = container
        self.user = user
        self._unit = unit
        self._leader = container.main_process(unit)
        self.id = wait_until(self._find_id, what=f"the session of {user}")

    def _find_id(self):
        """PAM moves the process to its session."""
        found = re.search(r"/session-(\w+)\.scope$", self.control_groups()[0])
        return found and found[1]

    def control_groups(self):
        return cgroup.folders(self._leader)

    def property(self, name):
        return self._container.root("loginctl", "show-session", f"--property={name}", "--value", self.id).strip()

    def activate(self):
        """Makes it its seat's active one."""
        self._container.root("loginctl", "activate", self.id)
        wait_until(lambda: self.property("Active") == "yes", what="the active session")

    def close(self):
        self._container.root("systemctl", "stop", self._unit)

    def run(self, argv, **more):
        return self._container.run(self.user, argv, session=self, **more)

    def tokenctl(self, *arguments, **more):
        return self._container.tokenctl(self.user, *arguments, session=self, **more)

    def terminal(self, *arguments, **more):
        """tokenctl on a terminal of the session."""
        return self._container.terminal(self.user, ["tokenctl", *arguments], session=self, **more)

    def status(self, token):
        """What tokenctl status --json says of the token."""
        finished = self.tokenctl("status", token, "--json")
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)[0]
