# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many simulated eTokens in one sandbox, and every fault at every PKCS#11 call of theirs: what test_faults.py runs.

A cell of the matrix is one fault at one call of one operation. Cells run in waves, each on a token of its own, at the
same time; one more token, the guard, has no fault, and is asked for its status meanwhile.
"""

import collections
import contextlib
import itertools
import os
import re
import time
import xml.etree.ElementTree as ElementTree

from client import Client
from sandbox import SOURCE, wait_until
from support import SENDING, relays_have_ended

PIN, PUK, NEW_PIN, WRONG = "1234", "12345678", "4321", "99999999"

# Deadlines of the service, in seconds: to load a module, to read it, to prepare, to commit, to close.
LOADING, READING, PREPARING, COMMITTING, CLOSING = 10, 5, 15, 60, 5
# An operating host that still has a code ends by itself at this age.
HOST_LIFE = 120
# What a slow machine may take beyond a deadline; what the deadlines are is held by test_deadlines.py.
SLACK = 30
# A user may have so many operations open, and all together as many as these users.
OPEN_OF_USER, USERS = 4, ["alice", "carol", "root"]

# How often the guard, and who waits for an answer, is asked, in seconds.
INTERVAL = 0.05

CALLS_THAT_CHANGE = (*SENDING, "C_Logout")

# What can be made garbage of what a function hands back: see tests/tokens/README.md. None: it hands back nothing.
GARBAGE = {
    "C_GetFunctionList": ("ones", "zeros"),
    "C_Initialize": (),
    "C_GetInfo": ("ones", "zeros", "odd"),
    "C_GetSlotList": ("ones", "zeros", "beyond"),
    "C_GetSlotInfo": ("ones", "zeros", "odd"),
    "C_GetTokenInfo": ("ones", "zeros", "odd", "numbers"),
    "C_OpenSession": ("ones", "zeros"),
    "C_CloseSession": (),
    "C_FindObjectsInit": (),
    "C_FindObjects": ("ones", "zeros", "beyond"),
    "C_FindObjectsFinal": (),
    "C_GetAttributeValue": ("ones", "zeros", "odd", "beyond", "numbers"),
    "C_Login": (),
    "C_InitPIN": (),
    "C_SetPIN": (),
    "C_Logout": (),
}

# n: which call of this function by the host it is in the operation, from 1; phase: what its deadline depends on.
Call = collections.namedtuple("Call", "host function n phase")
# kind: the first word of its line in the file of faults; detail: a result or a kind of garbage, or None.
Fault = collections.namedtuple("Fault", "kind detail after")
Cell = collections.namedtuple("Cell", "operation call fault")
# method: None for a start of the service
Operation = collections.namedtuple("Operation", "method role code")

OPERATIONS = {
    "start": Operation(None, None, None),
    "status": Operation("Refresh", None, None),
    "unlock": Operation("Unlock", "puk", PUK),
    "unlock, wrong PUK": Operation("Unlock", "puk", None),
    "set-pin": Operation("SetPin", "pin", PIN),
    "set-pin, wrong PIN": Operation("SetPin", "pin", None),
}

# What is left, of PIN and PUK, before the operation.
COUNTERS = {
    "start": (1, 2),
    "status": (2, 1),
    "unlock": (0, 2),
    "unlock, wrong PUK": (3, 2),
    "set-pin": (2, 2),
    "set-pin, wrong PIN": (2, 3),
}


def all_results():
    """The names of all errors of PKCS#11 that the simulated eToken knows, and one of a vendor's own."""
    with open(f"{SOURCE}/tests/tokens/etoken/results.c", encoding="utf-8") as file:
        names = re.findall(r"^  RESULT \((CKR_\w+)\)", file.read(), re.MULTILINE)
    return [name for name in names if name != "CKR_OK"] + ["0x80000001"]


def half_of(cells):
    """Of a list that is not the whole: one half for the suite with a sanitizer, the other for the one without."""
    return cells[int("ASAN_OPTIONS" in os.environ) :: 2]


class Contract:
    """What dbus/org.tokend.Tokend1.xml says of errors."""

    def __init__(self):
        path = f"{SOURCE}/dbus/org.tokend.Tokend1.xml"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        costs = re.search(r"no try was spent(.*?)one try was spent(.*?)ask the status(.*?)Only Finish", text, re.DOTALL)
        without_remarks = (re.sub(r"\(.*?\)", "", part, flags=re.DOTALL) for part in costs.groups())
        self.never, self.always, self.ask = map(self._names, without_remarks)
        known = self.never | self.always | self.ask
        self.documented = {}
        for method in ElementTree.fromstring(text.encode()).iter("method"):
            name = method.get("name")
            pattern = rf"<!--\s+{name}:((?:(?!-->).)*)-->\s+<method name=\"{name}\""
            comment = re.search(pattern, text, re.DOTALL).group(1)
            self.documented[name] = self._names(comment.partition("Errors")[2]) & known
        self.documented["Refresh"] = self.documented["GetStatus"]
        # What opens an operation answers the first of its errors, and Finish the others.
        self.documented["SetPin"] |= self.documented["Unlock"] - {"PukLocked"}
        for opening in ("Unlock", "SetPin"):
            self.documented[opening] |= self.documented["Finish"]
        assert "PukIncorrect" in self.always and "Busy" in self.never and "OutcomeUnknown" in self.ask

    def cost(self, error):
        """"never", "always", "ask"; None for no error."""
        for cost in ("never", "always", "ask"):
            if error in getattr(self, cost):
                return cost
        return None

    @staticmethod
    def _names(text):
        return set(re.findall(r"\b(?:[A-Z][a-z]+)+\b", text))


class BenchToken:
    """A token of the bench, and what its module was called since this was asked last."""

    def __init__(self, sandbox, token, client):
        self._sandbox = sandbox
        self.token = token
        self.client = client
        self.path = None
        self.refused = set()  # codes that the service was told are wrong, true or not
        self._offset = 0
        self.counts = collections.Counter()  # of (process, function)

    def new_calls(self):
        """Process, function and result of each call since the last time."""
        with open(self._sandbox.path(f"{self.token.folder}/calls"), encoding="ascii") as file:
            file.seek(self._offset)
            lines = [line.split() for line in file.read().splitlines()]
            self._offset = file.tell()
        calls = [(int(process), function, result) for process, _, function, result in lines]
        self.counts.update((process, function) for process, function, _ in calls)
        return calls

    def set_counters(self, pin, puk):
        """As another program might have left them."""
        with open(self._sandbox.path(f"{self.token.folder}/state"), "r+", encoding="ascii") as file:
            file.write(f"pin {pin} puk {puk}\n")

    def has_vanished(self):
        """Whether the fault "remove" has come."""
        return "vanish" in self._sandbox.read_file(f"{self.token.folder}/fault")

    def is_back(self):
        """Whether the service shows the token, with the token's own counters."""
        reply = self.path and self.client.call("Refresh", path=self.path)
        return reply and reply.error is None and reply.value["label"] == self.token.label

    def unlock(self):
        """With the right PUK, and all permissions that the service may want by now."""
        options = {"final-attempt": self.token.counters()["puk"] < 2, "send-refused-code": PUK in self.refused}
        self.refused.clear()
        return self.client.begin_call("Unlock", PUK, PIN, path=self.path, options=options)


def add_phases(calls):
    """From (host, function), in their order, to a list of Call."""
    operate = [number for number, (host, _) in enumerate(calls) if host == "operate"]
    changing = [number for number in operate if calls[number][1] in SENDING]
    reading = [n for n in operate if calls[n][1] == "C_GetTokenInfo" and n < min(changing)] if changing else []

    def phase(number):
        host, function = calls[number]
        if function in ("C_GetFunctionList", "C_Initialize", "C_GetInfo"):
            return LOADING
        if function == "C_Logout":
            return CLOSING
        if host == "watch" or number > changing[-1]:
            return READING
        return PREPARING if number < reading[-1] else COMMITTING

    counts = collections.Counter()
    found = []
    for number, (host, function) in enumerate(calls):
        counts[host, function] += 1
        found.append(Call(host, function, counts[host, function], phase(number)))
    return found


def may_outlive(cell):
    """Whether an operating host may hang where the service cannot end it: with a code, or before it has closed the token."""
    call = cell.call
    return cell.fault.kind == "hang" and call.host == "operate" and call.phase in (COMMITTING, READING, CLOSING)


class Attempt:
    """A cell, tried on a token."""

    _codes = itertools.count(1)

    def __init__(self, bench_token, cell, watcher):
        """watcher: the process of the token's watching host; None if it is yet to be started."""
        self.on = bench_token
        self.cell = cell
        self.operation = OPERATIONS[cell.operation]
        self.code = self.operation.code or f"9{next(self._codes):07}"
        self.reply = self.seconds = self.problem = self.sent = self.after = None
        self.guarded = 0  # how often the guard was served while there was no answer
        self._watcher = watcher
        self._number = self._begun = None
        self.on.set_counters(*COUNTERS[cell.operation])
        self.before = self.on.token.counters()
        call, fault = cell.call, cell.fault
        base = self.on.counts[watcher, call.function] if watcher and call.host == "watch" else 0
        words = [fault.kind, call.function, str(base + call.n), fault.detail, call.host, "after" * fault.after]
        self.on.token.fault(" ".join(filter(None, words)))

    def begin(self):
        """Makes the call."""
        codes = [self.code, NEW_PIN] if self.operation.role else []
        self._number = self.on.client.begin_call(self.operation.method, *codes, path=self.on.path)
        self._begun = time.monotonic()

    def is_answered(self):
        """Whether the reply is there."""
        if self.reply is None and self.on.client.is_answered(self._number):
            self.seconds = time.monotonic() - self._begun
            self.reply = self.on.client.wait(self._number)
        return self.reply is not None

    @contextlib.contextmanager
    def blamed(self):
        """What does not hold in the block is this cell's problem."""
        try:
            yield
        except AssertionError as error:
            self.problem = self.problem or f"{describe(self.cell)}: {error} ({self.reply}, {self.before}, {self.after})"

    def has_hung(self):
        """Whether a deadline had to pass."""
        return self.cell.fault.kind == "hang" and self.reply.error in ("TimedOut", "OutcomeUnknown")

    def conclude(self, contract):
        """Looks at the token's own record, takes the fault away, and judges the reply."""
        self.after = self.on.token.counters()
        calls = self.on.new_calls()
        self.sent = [(function, result) for _, function, result in calls if function in ("C_Login", "C_SetPIN")]
        with self.blamed():
            self._check_met(calls)
            self._check_tries(contract)
            if self.operation.method:
                self._check_reply(contract)
        if self.reply and self.reply.error in ("PinIncorrect", "PukIncorrect"):
            self.on.refused.add(self.code)
        self.on.token.clear_faults()

    def _check_met(self, calls):
        call, fault = self.cell.call, self.cell.fault
        if fault.kind == "remove":
            assert self.on.has_vanished(), "the fault did not come"
            return
        # At a start there may be several, one after another: a slow machine loads no module in time.
        own = call.host == "watch" and self._watcher is not None
        processes = {process for process, *_ in calls if (process == self._watcher) == own}
        answers = [
            [result for p, function, result in calls if (p, function) == (process, call.function)]
            for process in processes
        ]
        wanted = {"crash": "CRASH", "hang": "HANG", "garbage": "GARBAGE"}.get(fault.kind, fault.detail)
        assert any(results[call.n - 1 : call.n] == [wanted] for results in answers), "the fault did not come"

    def _spent(self, role):
        return max(0, self.before[role] - self.after[role])

    def _check_tries(self, contract):
        role = self.operation.role
        # A PIN that C_Login has proven is sent once more, to C_SetPIN.
        proven = [("C_Login", "CKR_OK"), ("C_Login", "CKR_PIN_EXPIRED")] if role == "pin" else []
        assert len([call for call in self.sent if call not in proven]) <= 1, "a code was sent twice"
        assert [function for function, _ in self.sent] in ([], ["C_Login"], ["C_SetPIN"], ["C_Login", "C_SetPIN"])
        for other in {"pin", "puk"} - {role}:
            assert not self._spent(other), f"a try of the {other} was spent"
        if role:
            assert self._spent(role) <= 1, "more than one try was spent"
            cost = contract.cost(self.reply.error)
            assert not self._spent(role) or cost in ("always", "ask"), "a try was spent, and the reply denies it"
            # By the standard these say that C_Login has not looked at the code.
            unread = {"CKR_USER_ALREADY_LOGGED_IN"} | ({"CKR_USER_PIN_NOT_INITIALIZED"} if role == "pin" else set())
            looked_at = [call for call in self.sent if call not in {("C_Login", result) for result in unread}]
            assert not looked_at or cost != "never", "a code was sent, and the reply denies it"
            lied = self.cell.fault.kind == "error" and self.cell.call.function in SENDING
            assert self._spent(role) or lied or cost != "always", "no try was spent, and the reply says so"

    def _check_reply(self, contract):
        error, method, role = self.reply.error, self.operation.method, self.operation.role
        assert error is None or error in contract.documented[method], "this error is not documented"
        deadline = self.cell.call.phase + (READING if role else 0) + SLACK
        assert self.seconds < deadline, f"it took {self.seconds} s, and not {deadline}"
        if error is None:
            if role:
                assert self.code in (PIN, PUK), "a wrong code was taken for right"
                assert self.after[role] == 3 and self.after["pin"] == 3, "done, but it is not"
            if self.cell.fault.kind != "garbage":
                self.check_status(self.reply.value, known=False)

    def check_status(self, status, known=True):
        """Of numbers the status has none but the token's; known: it has them."""
        for role, remaining in self.on.token.counters().items():
            said = status.get(f"{role}-retries-remaining")
            assert said == remaining or (said is None and not known), f"not the token's own number: {status}"


def describe(cell):
    """In words."""
    call, fault = cell.call, cell.fault
    what = " ".join(filter(None, [fault.kind, fault.detail, "after" * fault.after]))
    return f"{cell.operation}: {what} at {call.host} {call.function} {call.n}"


class Bench:
    """with Bench(make_sandbox) as bench: a sandbox with as many tokens as may be operated on at a time, and the guard."""

    def __init__(self, make_sandbox):
        self._size = OPEN_OF_USER * len(USERS)
        self.sandbox = make_sandbox(["etoken"] * (self._size + 1))
        self.tokens = []
        self._stack = self._guard = self._clean = None
        self._contract = Contract()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            enter = stack.enter_context
            clients = [enter(Client(self.sandbox, user)) for user in USERS]
            clients = [client for client in clients for _ in range(OPEN_OF_USER)][: self._size]
            clients.append(enter(Client(self.sandbox, "alice")))
            self._allow("carol")
            tokens = self.sandbox.tokens.values()
            self.tokens = [BenchToken(self.sandbox, *pair) for pair in zip(tokens, clients)]
            self._guard = self.tokens.pop()
            self._find()
            # What a first operation leaves for the second is no leak.
            self._unlock(self.tokens)
            wait_until(lambda: has_settled(self.sandbox), what="the end of the operating hosts")
            assert self._guard.client.call("GetStatus", path=self._guard.path).error is None
            self._clean = traces(self.sandbox)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def _allow(self, user):
        rule = f'if (subject.user === "{user}") return polkit.Result.YES;'
        path = "/etc/polkit-1/rules.d/40-bench.rules"
        self.sandbox.write_file(path, f"polkit.addRule(function(action, subject) {{ {rule} }});")
        with Client(self.sandbox, user) as client:
            path = client.find("ETOKEN")
            wait_until(lambda: client.wait(client.begin_open("Unlock", path)).error is None, what="the rule")

    def record(self, name):
        """The calls that an operation makes where nothing is wrong, in their order."""
        token, operation = self.tokens[0], OPERATIONS[name]
        token.set_counters(*COUNTERS[name])
        if operation.method is None:
            self.sandbox.stop_tokend()
        token.new_calls()
        if operation.method is None:
            self.sandbox.start_tokend()
            self._wait_settled(LOADING)
        else:
            codes = [operation.code or WRONG, NEW_PIN] if operation.role else []
            token.client.call(operation.method, *codes, path=token.path)
        watchers = self._watchers()
        calls = [("watch" if process in watchers else "operate", f) for process, f, _ in token.new_calls()]
        self._find()
        self._unlock([token])
        return add_phases(calls)

    def _watchers(self):
        """The processes, by their numbers inside, of the watching hosts."""
        return {number for number, (_, _, arguments) in self.sandbox.processes().items() if "--watch" in arguments}

    def run(self, cells):
        """Runs a wave: either of starts of the service, or of calls. Returns the attempts."""
        on_start = OPERATIONS[cells[0].operation].method is None
        if on_start:
            self.sandbox.stop_tokend()
        elif any(cell.call.host == "watch" for cell in cells):
            self._start_anew()
        watchers = set() if on_start else self._watchers()
        attempts = []
        for token, cell in zip(self.tokens, cells):
            token.new_calls()
            watcher = next((process for process, _ in token.counts if process in watchers), None)
            attempts.append(Attempt(token, cell, watcher))
        if on_start:
            self.sandbox.start_tokend()
            self._find([self._guard])
            self._ask_guard()
            self._wait_settled(max(cell.call.phase for cell in cells))
            self._ask_guard()
        else:
            for attempt in attempts:
                attempt.begin()
            self._wait_answered(attempts)
        for attempt in attempts:
            attempt.conclude(self._contract)
        self._see_end(attempts)
        return attempts

    def _start_anew(self):
        """What has failed before is started again the later for it, and waits here for nothing."""
        self.sandbox.stop_tokend()
        self.sandbox.start_tokend()
        self._find()

    def _ask_guard(self):
        reply = self._guard.client.call("Refresh", path=self._guard.path)
        assert reply.error is None and reply.value["pin-state"] == "ok", f"the other token is not served: {reply}"

    def _wait_answered(self, attempts):
        longest = max(attempt.cell.call.phase for attempt in attempts) + READING + SLACK
        self._ask_guard()

        def all_are():
            self._ask_guard()
            for attempt in attempts:
                attempt.guarded += not attempt.is_answered()
            time.sleep(INTERVAL)
            return all([attempt.is_answered() for attempt in attempts])

        wait_until(all_are, longest, what="the answers to all calls")
        for attempt in attempts:
            with attempt.blamed():
                assert attempt.guarded or not attempt.has_hung(), "the other token was not served meanwhile"

    def _wait_settled(self, deadline):
        """Waits until no module is being loaded; those that cannot be say why."""

        def are_settled():
            modules = self._guard.client.call_manager("GetModules").value
            assert all(module.get("reason") for module in modules if module["state"] == "failed")
            return all(module["state"] != "loading" for module in modules)

        wait_until(are_settled, deadline + SLACK, "the end of all loading")

    # Afterwards

    def _see_end(self, attempts):
        """The tokens are back, as they say themselves; the right code does it; nothing is left behind."""
        stuck = sum(may_outlive(attempt.cell) for attempt in attempts)
        wait_until(lambda: len(self.sandbox.hosts("operate")) <= stuck, what="the end of hosts whose operation ended")
        wait_until(lambda: not self.sandbox.hosts("operate"), HOST_LIFE + SLACK, "the end of hosts that hang")
        self._find()
        for attempt in attempts:
            with attempt.blamed():
                attempt.check_status(attempt.on.client.call("Refresh", path=attempt.on.path).value)
        self._unlock([attempt.on for attempt in attempts], attempts)
        try:
            wait_until(lambda: traces(self.sandbox) == self._clean, what="no trace")
        except TimeoutError:
            raise AssertionError(f"left behind: {compare(self._clean, traces(self.sandbox))}") from None

    def _find(self, tokens=None):
        """Waits until the service shows the tokens, and all others that it should, and learns their paths."""
        wanted = tokens or [*self.tokens, self._guard]
        client = self._guard.client

        def all_are_back():
            missing = [token for token in wanted if not token.is_back()]
            if not missing:
                return True
            # Who subscribes is told what is there now; and then it is not watched any more.
            client.call_manager("Subscribe")
            client.call_manager("Unsubscribe")
            known = {token.path for token in wanted if token not in missing}
            for path in set(client.paths()) - known:
                status = client.call("Refresh", path=path).value
                for token in missing:
                    if status and status["label"] == token.token.label:
                        token.path = path
            return all(token.is_back() for token in missing)

        wait_until(all_are_back, what="all tokens")

    def _unlock(self, tokens, attempts=()):
        numbers = [(token, token.unlock()) for token in tokens]
        replies = {id(token): token.client.wait(number) for token, number in numbers}
        for attempt in attempts:
            with attempt.blamed():
                assert replies[id(attempt.on)].error is None, f"the right code afterwards: {replies[id(attempt.on)]}"
                assert attempt.on.token.counters() == {"pin": 3, "puk": 3}, "the right code changed nothing"


def has_settled(sandbox):
    """Whether all operating hosts of a sandbox have ended."""
    if sandbox.hosts("operate"):
        return False
    # Nor may anything else be ending, or wait to be reaped.
    processes = sandbox.processes().values()
    return all(arguments and not arguments[0].startswith("[") for _, _, arguments in processes) and relays_have_ended(sandbox)


def traces(sandbox):
    """All that the operations of a sandbox's tokens might leave behind."""
    processes = collections.Counter((user, *arguments) for _, user, arguments in sandbox.processes().values())
    descriptors = collections.Counter()
    folder = f"/proc/{sandbox.tokend()}/fd"
    for number in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            descriptors[re.sub(r"[\d]+", "", os.readlink(f"{folder}/{number}"))] += 1
    files = set()
    for top in ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/run/tokend", "/var/lib/tokend"):
        for folder, folders, names in os.walk(sandbox.path(top)):
            files |= {os.path.join(folder, name) for name in folders + names}
    ledger = re.findall(r"p[iu][nk]-pending=.*", sandbox.read_file("/var/lib/tokend/ledger"))
    return {
        "processes": processes,
        "descriptors": descriptors,
        "files": collections.Counter(files),
        "ledger": collections.Counter(ledger),
    }


def compare(before, after):
    """What there is more, and less, than before."""
    return {
        name: {"more": dict(after[name] - before[name]), "less": dict(before[name] - after[name])}
        for name in before
        if before[name] != after[name]
    }
