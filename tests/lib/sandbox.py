# SPDX-License-Identifier: LGPL-2.1-or-later
"""A sandbox (tests/sandbox) held open for a Python test, which enters it as any of its users.

    with Sandbox(tokens=["etoken"]) as sandbox:
        sandbox.run("alice", ["tokenctl", "status"])
        assert sandbox.token("etoken").counters() == {"pin": 3, "puk": 3}
"""

import contextlib
import glob
import json
import os
import pwd
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import softhsm  # noqa: E402
from kinds import KINDS, PUK  # noqa: E402
from terminal import Terminal  # noqa: E402

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
# The same places as in inside.py
FOLDER = "/run/sandbox"
BUILD = f"{FOLDER}/build"
LIBRARY = f"{FOLDER}/source/tests/lib"
PYTHON = "/usr/bin/python3"
POLKITD = "/usr/lib/polkit-1/polkitd"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# The commands to a card that may carry a code. A header and one length are 5 bytes.
# What a real card takes for a command, in milliseconds
PACE = "delay * 20"
# To a simulated eToken one command goes for each call of PKCS#11, to a real one several.
ETOKEN_PACE = "delay * 200"
CODE_COMMANDS = ("VERIFY", "CHANGE-REFERENCE-DATA", "RESET-RETRY-COUNTER")

# See Sandbox.processes().
ENDING_HOST = "[tokend-module]"
TIMEOUT = 30
START_TIMEOUT = 300  # the first one may build
# The kernel gives out the numbers of processes in turn: for so long, in seconds, none comes again.
NUMBER_REUSE = 2


def wait_until(condition, timeout=TIMEOUT, what="it"):
    """Calls condition until it returns something true, and returns that: the more seldom, the longer it takes."""
    begun = time.monotonic()
    while True:
        result = condition()
        if result:
            return result
        elapsed = time.monotonic() - begun
        if elapsed > timeout:
            raise TimeoutError(f"{what} did not come true within {timeout} s")
        time.sleep(min(0.005 + 0.02 * elapsed, 0.05))


def describe_threads(process):
    """What each thread of a process is at, for one that does not do what it should."""
    lines = []
    for path in sorted(glob.glob(f"/proc/{process}/task/*")):
        parts = []
        for name in ("comm", "wchan", "syscall"):
            with contextlib.suppress(OSError), open(f"{path}/{name}", encoding="utf-8") as file:
                parts.append(file.read().strip())
        lines.append(" ".join(parts))
    return "\n".join(lines)


def read_line(stream, timeout=TIMEOUT, what="a line"):
    """Reads one line of text from a pipe, which nobody else may read with a buffer; what there was, if it ends."""
    deadline = time.monotonic() + timeout
    line = b""
    while not line.endswith(b"\n"):
        if not select.select([stream], [], [], max(0, deadline - time.monotonic()))[0]:
            raise TimeoutError(f"{what} did not come within {timeout} s: {line}")
        byte = os.read(stream.fileno(), 1)
        if not byte:
            break
        line += byte
    return line.decode()


def count_switches(process):
    """How often each thread of a process, given by its number outside, went to sleep, as a dict."""
    counts = {}
    for task in os.listdir(f"/proc/{process}/task"):
        # A thread may end meanwhile.
        with contextlib.suppress(OSError), open(f"/proc/{process}/task/{task}/status", encoding="utf-8") as file:
            (line,) = (line for line in file if line.startswith("voluntary_ctxt_switches"))
            counts[task] = int(line.split()[1])
    return counts


def count_switches_since(before, process):
    """How often the threads that there are now went to sleep since count_switches() returned @before. A thread that has
    ended, such as one of a pool that had nothing to do, takes its count with it."""
    return sum(count - before.get(task, 0) for task, count in count_switches(process).items())


def wait_until_asleep(processes, seconds=3):
    """Waits for a time in which nothing wakes up any thread of these processes, given by their numbers outside."""
    seen = {"switches": None, "since": 0}

    def is_asleep():
        switches = [count_switches(process) for process in processes]
        if switches != seen["switches"]:
            seen.update(switches=switches, since=time.monotonic())
        return time.monotonic() - seen["since"] > seconds

    wait_until(is_asleep, what=f"{seconds} seconds of sleep")


class Program(subprocess.Popen):
    """A program inside, started by nsenter, which waits for it and ends as it does; signals go to the program."""

    def number(self):
        """The number outside of the program's process; None before it is there and after its end."""
        try:
            with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
                children = file.read().split()
        except OSError:
            return None
        return int(children[0]) if children else None

    def send_signal(self, sig):
        # Not to nsenter: the program would become an orphan of the machine's init, outside of the sandbox.
        number = self.number()
        if number is None:
            super().send_signal(sig)
        else:
            os.kill(number, sig)


class Sandbox:
    """tokens: as --token; modules: name to path; pin and puk: those of every token; without pin, each kind's own, and the
    attribute pin is the first token's."""

    def __init__(self, tokens=("etoken",), pin=None, puk=PUK, modules=None):
        first_kind = tokens[0].partition(":")[0] if tokens else "etoken"
        self.pin, self.puk = pin or KINDS[first_kind].pin, puk
        self._given_pin = pin
        self._command = [f"{SOURCE}/tests/sandbox", "--user", "root", "--puk", puk]
        if pin:
            self._command += ["--pin", pin]
        for token in tokens:
            self._command += ["--token", token]
        for name, path in (modules or {}).items():
            self._command += ["--module", f"{name}={path}"]
        self._command += ["--", "sh", "-c", "echo ready; exec cat"]
        self.tokens = {}
        self._process = None
        self._first_process = None
        self._strangers = {}  # processes outside by their numbers, and when they were seen

    # Beginning and end

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            if read_line(self._process.stdout, START_TIMEOUT, "the sandbox") != "ready\n":
                raise RuntimeError("the sandbox does not start")
            with open(f"/proc/{self._process.pid}/task/{self._process.pid}/children", encoding="ascii") as file:
                self._first_process = int(file.read().split()[0])
            for settings in json.loads(self.read_file(f"{FOLDER}/tokens.json")):
                self.tokens[settings["name"]] = Token(self, settings)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exception):
        self.close()

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()  # and with it goes all that is inside
            self._process.wait()

    # Files: root's view, from outside

    def path(self, inside):
        """The path by which the test itself may open a file of the sandbox."""
        return f"/proc/{self._first_process}/root{inside}"

    def read_file(self, inside):
        with open(self.path(inside), encoding="utf-8", errors="replace") as file:
            return file.read()

    def write_file(self, inside, text):
        """At once: nobody sees half of it."""
        path = self.path(inside)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(f"{path}.new", 0o644)
        os.rename(f"{path}.new", path)

    # Programs

    def _environment(self, user, more):
        home = "/root" if user == "root" else f"{FOLDER}/home/{user}"
        path = f"{BUILD}/client/cmd:{SYSTEM_PATH}"
        environment = {"HOME": home, "USER": user, "LOGNAME": user, "LANG": "C.UTF-8", "TERM": "xterm"}
        environment["PATH"] = f"{FOLDER}/bin:{path}" if user == "root" else path
        if self.tokens:
            environment["TOKEN_MODULE"] = next(iter(self.tokens.values())).module
        return environment | (more or {})

    def popen(self, user, argv, env=None, **more):
        """Starts a program as user; returns a Program, which is a subprocess.Popen.

        env: variables in addition; more: as for subprocess.Popen, pass_fds for instance.
        """
        # A shell that runs the tests in the background has them ignore the keyboard's signals, which nobody at a terminal
        # does. Nor may nsenter: it could not die of the signal that its program died of, and would exit with 1 instead.
        heed = ["env", "--default-signal=INT,QUIT"]
        enter = ["nsenter", "--target", str(self._first_process), "--mount", "--pid", "--ipc", "--net", "--wd=/", "--"]
        become = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--pdeathsig", "KILL"]
        return Program(heed + enter + become + argv, env=self._environment(user, env), **more)

    def run(self, user, argv, stdin=None, timeout=TIMEOUT, **more):
        """Runs a program as user, to its end; stdin is text. Returns a CompletedProcess with text."""
        given = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        process = self.popen(
            user, argv, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
        )
        try:
            output, errors = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return subprocess.CompletedProcess(argv, process.returncode, output, errors)

    def run_with_codes(self, user, argv, codes, stdin=None, timeout=TIMEOUT, **more):
        """Runs a program that reads codes from descriptors: "{puk}" in argv becomes the number of a pipe that holds
        codes["puk"]."""
        ends = {}
        for name, code in codes.items():
            ends[name], writing = os.pipe()
            os.write(writing, code.encode())
            os.close(writing)
        try:
            numbered = [argument.format(**ends) for argument in argv]
            return self.run(user, numbered, stdin, timeout, pass_fds=tuple(ends.values()), **more)
        finally:
            for end in ends.values():
                os.close(end)

    def tokenctl(self, user, *arguments, codes=None, **more):
        """Runs tokenctl: tokenctl("alice", "unlock", "--puk-fd", "{puk}", codes={"puk": …}, …)."""
        return self.run_with_codes(user, ["tokenctl", *arguments], codes or {}, **more)

    def status(self, user="alice", token=None):
        """What tokenctl status --json says: a list of dicts, or the one dict of token."""
        finished = self.tokenctl(user, "status", *([token] if token else []), "--json")
        if finished.returncode != 0:
            raise RuntimeError(finished.stderr)
        statuses = json.loads(finished.stdout)
        return statuses[0] if token else statuses

    def terminal(self, user, argv, **more):
        """Runs a program as user on a terminal of its own: see Terminal."""
        return Terminal(argv, lambda command, **rest: self.popen(user, command, **rest), **more)

    def python(self, user, script, *arguments, **more):
        """Runs a Python script, given as text, for instance a client of the bus with python3-gi."""
        return self.run(user, [PYTHON, "-c", script, *arguments], **more)

    def user_id(self, user):
        for line in self.read_file("/etc/passwd").splitlines():
            fields = line.split(":")
            if fields[0] == user:
                return int(fields[2])
        return pwd.getpwnam(user).pw_uid

    # Processes

    def processes(self):
        """The processes inside: process number inside to (number outside, user's number, arguments). One that is ending has
        no memory any more, but may still have its descriptors, and with them its locks: only its name is told, in brackets."""
        found = {}
        namespace = os.readlink(f"/proc/{self._first_process}/ns/pid")
        now = time.monotonic()
        strangers = {entry: seen for entry, seen in self._strangers.items() if now - seen < NUMBER_REUSE}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            if entry in strangers:
                continue
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{entry}/ns/pid") != namespace:
                    strangers[entry] = now
                    continue
                with open(f"/proc/{entry}/status", encoding="utf-8") as file:
                    status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
                with open(f"/proc/{entry}/cmdline", encoding="utf-8", errors="replace") as file:
                    arguments = file.read().split("\0")[:-1]
                if not arguments and not status["State"].startswith("Z"):
                    arguments = [f"[{status['Name']}]"]
                number = int(status["NSpid"].split()[-1])
                found[number] = (int(entry), int(status["Uid"].split()[0]), arguments)
        self._strangers = strangers
        return found

    def hosts(self, kind=None):
        """The numbers outside of the module hosts' processes; kind: "watch" or "operate". Of which kind one that is ending
        was is not known: it is of both."""
        wanted = [f"--{kind}"] if kind else ["--watch", "--operate"]
        return [
            outside
            for outside, _, arguments in self.processes().values()
            if arguments == [ENDING_HOST]
            or (arguments and arguments[0].endswith("/tokend-module") and arguments[-1] in wanted)
        ]

    def tokend(self):
        """The number outside of tokend's process; None if there is none."""
        number = int(self.read_file(f"{FOLDER}/tokend.pid"))
        found = self.processes().get(number)
        return found[0] if found and found[2] and found[2][0].endswith("/tokend") else None

    def kill(self, outside, number=signal.SIGKILL):
        """Sends a signal to a process inside, by its number outside, and with SIGKILL or SIGTERM waits for its end."""
        os.kill(outside, number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            try:
                wait_until(lambda: not os.path.exists(f"/proc/{outside}"), what=f"the end of process {outside}")
            except TimeoutError as error:
                raise TimeoutError(f"{error}; its threads:\n{describe_threads(outside)}") from None

    def stop_tokend(self, number=signal.SIGTERM):
        self.kill(self.tokend(), number)

    def start_tokend(self, *arguments):
        """Starts tokend (again); returns when it owns its name."""
        started = self.run("root", [f"{FOLDER}/bin/start-tokend", *arguments])
        if started.returncode != 0:
            raise RuntimeError(started.stderr)

    def restart_tokend(self, variables=None):
        """Starts tokend again, from now on with these environment variables too."""
        self.stop_tokend()
        with open(self.path(f"{FOLDER}/environment"), "a", encoding="ascii") as file:
            file.writelines(f"{name}={value}\n" for name, value in (variables or {}).items())
        self.start_tokend()

    def polkitd(self):
        """The number outside of polkitd's process."""
        (found,) = [
            outside for outside, _, arguments in self.processes().values() if arguments[:1] == [POLKITD]
        ]
        return found

    def stop_polkit(self):
        self.kill(self.polkitd())

    def journal(self):
        """All that tokend has said since the sandbox began."""
        return self.read_file(f"{FOLDER}/log/tokend.log")

    def logs(self):
        """All that any daemon inside has said."""
        folder = self.path(f"{FOLDER}/log")
        return "".join(self.read_file(f"{FOLDER}/log/{name}") for name in sorted(os.listdir(folder)))

    # The bus

    @contextlib.contextmanager
    def recorded_bus(self):
        """Records all messages of the bus; gives a function that returns the record so far, as bytes."""
        with tempfile.TemporaryFile() as record:
            monitor = self.popen(
                "root", ["dbus-monitor", "--system", "--pcap"], stdin=subprocess.DEVNULL, stdout=record
            )

            def recorded():
                return os.pread(record.fileno(), os.fstat(record.fileno()).st_size, 0)

            def synchronise():
                mark = uuid.uuid4().hex
                signal_arguments = ["--type=signal", "/org/tokend/Test", "org.tokend.Test.Mark", f"string:{mark}"]

                def is_recorded():
                    self.run("root", ["dbus-send", "--system", *signal_arguments])
                    return mark.encode() in recorded()

                wait_until(is_recorded, what="the record of the bus")
                return recorded()

            try:
                synchronise()
                yield synchronise
            finally:
                monitor.terminate()
                monitor.wait(TIMEOUT)

    def token(self, name):
        return self.tokens[name]

    def pin_of(self, name):
        """The PIN that the token started with; without one for all, each kind's own."""
        return self._given_pin or KINDS[self.tokens[name].kind].pin


class Token:
    """A token of the sandbox: as witness, and as what another PKCS#11 program does to it."""

    def __init__(self, sandbox, settings):
        self._sandbox = sandbox
        self.name = settings["name"]
        self.kind = settings["kind"]
        self.module = settings["module"]
        self.label = settings["label"]
        self.serial = settings.get("serial")
        self.is_card = KINDS[self.kind].folder == "card"
        self.is_in_reader = "reader" in settings
        self.records = KINDS[self.kind].counts  # what it was asked, and its own counters
        self._signing_label = KINDS[self.kind].signing_label
        self.folder = settings.get("folder", f"{FOLDER}/tokens/{self.name}")

    # As witness

    def flags(self):
        """The retry flags that its module shows to a fresh process: a set of PKCS#11's names without CKF_."""
        shown = self._sandbox.run("root", [PYTHON, f"{LIBRARY}/pkcs11.py", self.module, "flags", *self._label()])
        if shown.returncode != 0:
            raise RuntimeError(shown.stderr)
        return set(shown.stdout.split())

    def counters(self):
        """The tries that the token itself says are left, as {"pin": …, "puk": …}.

        Of SoftHSM2, which does not count, "ok" or "low".
        """
        if self.records:
            everything = self.all_counters()
            return {"pin": everything["pin"], "puk": everything["puk"]}
        flags = self.flags()
        return {"pin": self._remaining(flags, "USER"), "puk": self._remaining(flags, "SO")}

    def all_counters(self):
        """eToken, cards: the tries of every code that the token has, by its names."""
        words = self._sandbox.read_file(f"{self.folder}/state").split()
        return dict(zip(words[::2], map(int, words[1::2]), strict=True))

    def _remaining(self, flags, role):
        if self.kind == "softhsm":
            return "low" if f"{role}_PIN_COUNT_LOW" in flags else "ok"
        for flag, remaining in (("LOCKED", 0), ("FINAL_TRY", 1), ("COUNT_LOW", 2)):
            if f"{role}_PIN_{flag}" in flags:
                return remaining
        return 3

    def calls(self, user=None):
        """eToken: the names of the functions called so far, in order; user: by processes of this user alone.

        A card: the names of the commands sent so far, by whomever.
        """
        number = str(self._sandbox.user_id(user)) if user else None
        lines = [line.split() for line in self._sandbox.read_file(f"{self.folder}/calls").splitlines()]
        return [words[2] for words in lines if number in (None, words[1])]

    def commands(self):
        """eToken in a reader: the commands sent to it so far, by whomever."""
        return self._sandbox.read_file(f"{self.folder}/card/calls").splitlines()

    def results(self, function):
        """eToken: what each call of the function answered: "CKR_OK", or "HANG", "CRASH", "FORBIDDEN".

        A card: what each command of this name answered: "9000", or "REMOVED", "GARBAGE".
        """
        lines = [line.split() for line in self._sandbox.read_file(f"{self.folder}/calls").splitlines()]
        return [words[3] for words in lines if words[2] == function]

    def codes_sent(self):
        """A card: the commands with a code in them, by whomever, as (name, status word); not those that only ask."""
        lines = [line.split() for line in self._sandbox.read_file(f"{self.folder}/calls").splitlines()]
        return [(words[2], words[3]) for words in lines if words[2] in CODE_COMMANDS and int(words[4]) > 5]

    # Faults of the eToken and of cards: see tests/tokens/README.md

    def fault(self, *lines):
        """From now on the token has these faults, and no other."""
        self._sandbox.write_file(f"{self.folder}/fault", "".join(f"{line}\n" for line in lines))

    def clear_faults(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._sandbox.path(f"{self.folder}/fault"))

    def wait_paused(self, function="", timeout=TIMEOUT):
        """Waits until a call is held by the fault "pause"; function: the one that was held last."""

        def is_held():
            with contextlib.suppress(FileNotFoundError):
                return function in self._sandbox.read_file(f"{self.folder}/paused")

        wait_until(is_held, timeout, f"the pause {function}")

    # As another program

    def _label(self):
        return [] if self.kind == "etoken" else [self.label]

    def _pkcs11_tool(self, user, *arguments, label=None, **codes):
        labels = ["--token-label", label] if label else self._label_options()
        tool = ["pkcs11-tool", "--module", self.module, *labels, *arguments]
        for option, code in codes.items():
            tool += [f"--{option.replace('_', '-')}", f"env:{option.upper()}"]
        with self._at_a_pace():
            return self._sandbox.run(user, tool, env={option.upper(): code for option, code in codes.items()})

    @contextlib.contextmanager
    def _at_a_pace(self):
        """A card without faults takes the time of a real one: a use that takes none is not seen."""
        is_set = self.is_in_reader and not os.path.exists(self._sandbox.path(f"{self.folder}/fault"))
        if is_set:
            self.fault(ETOKEN_PACE if self.kind == "etoken" else PACE)
        try:
            yield
        finally:
            if is_set:
                self.clear_faults()

    def _label_options(self):
        return ["--token-label", self.label] if self._label() else []

    def login(self, pin, user="alice", label=None):
        """Whether the PIN is right, by pkcs11-tool. A wrong one costs a try. label: another one of its card."""
        return self._pkcs11_tool(user, "--login", "--list-objects", label=label, pin=pin).returncode == 0

    def login_so(self, puk, user="alice"):
        """Whether the PUK is right. A wrong one costs a try."""
        argv = [PYTHON, f"{LIBRARY}/pkcs11.py", self.module, "login-so", *self._label()]
        with self._at_a_pace():
            return self._sandbox.run(user, argv, stdin=puk).stdout.strip() == "CKR_OK"

    def change_pin(self, pin, new_pin, user="alice"):
        """Another program sets a PIN, whatever it is."""
        changed = self._pkcs11_tool(user, "--login", "--change-pin", pin=pin, new_pin=new_pin)
        if changed.returncode != 0:
            raise RuntimeError(changed.stderr)

    def wrong_pin(self, n=1, user="alice"):
        """Another program logs in with a wrong PIN, n times."""
        for _ in range(n):
            wrong = "0" * len(KINDS[self.kind].pin)
            result = self._pkcs11_tool(user, "--login", "--list-objects", pin=wrong)
            # USER_NOT_LOGGED_IN is what OpenSC makes of an OpenPGP card's answer.
            if not re.search("CKR_(PIN_INCORRECT|PIN_LOCKED|USER_NOT_LOGGED_IN)", result.stderr):
                raise RuntimeError(f"not a wrong PIN: {result.stderr}")

    def wrong_puk(self, n=1, user="alice"):
        """Another program logs in with a wrong PUK, n times."""
        for _ in range(n):
            if self.login_so("00000000", user):
                raise RuntimeError("this PUK is right")

    def has_certificate(self):
        listed = self._pkcs11_tool("alice", "--list-objects", "--type", "cert", label=self._signing_label)
        return "Certificate Object" in listed.stdout

    def put_certificate(self, certificate):
        """eToken: lays one more certificate, in DER, on the token while it is not plugged in."""
        store = f"{self.folder}/softhsm"
        module = f"{store}/{os.path.basename(softhsm.LIBRARY)}"
        tool = ["pkcs11-tool", "--module", module, "--login", "--pin", "env:PIN"]
        tool += ["--write-object", f"{store}/certificate", "--type", "cert"]
        self.fault("vanish")
        wait_until(lambda: self.label not in [status["label"] for status in self._sandbox.status()], what="the removal")
        with open(self._sandbox.path(f"{store}/certificate"), "wb") as file:
            file.write(certificate)
        environment = {"PIN": self._sandbox.pin, "SOFTHSM2_CONF": f"{store}/softhsm2.conf"}
        written = self._sandbox.run("root", tool, env=environment)
        if written.returncode != 0:
            raise RuntimeError(written.stderr)
        softhsm.share(self._sandbox.path(store))
        self.clear_faults()

    def sign(self, pin, user="alice"):
        """eToken, cards: whether the key signs with this PIN, and the certificate verifies it, by openssl."""
        home = f"{FOLDER}/home/{user}"
        data, signature, certificate, key = (f"{home}/{n}" for n in ("data", "signature", "certificate", "key"))
        self._sandbox.run(user, ["tee", data], stdin=uuid.uuid4().hex)
        self._sandbox.run(user, ["rm", "-f", signature, certificate, key])
        label = self._signing_label
        signing = ["--login", "--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "01"]
        reading = ["--read-object", "--type", "cert", "--id", "01"]
        extracting = ["openssl", "x509", "-inform", "DER", "-in", certificate, "-noout", "-pubkey", "-out", key]
        verifying = ["openssl", "dgst", "-sha256", "-verify", key, "-signature", signature, data]
        return (
            self._pkcs11_tool(user, *signing, "-i", data, "-o", signature, label=label, pin=pin).returncode == 0
            and self._pkcs11_tool(user, *reading, "-o", certificate, label=label).returncode == 0
            and self._sandbox.run(user, extracting).returncode == 0
            and self._sandbox.run(user, verifying).returncode == 0
        )
