# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two virtual cards in one sandbox, and every fault at every command that an operation sends to the first of them: what
test_card_faults.py runs.

A cell is what it is in fault_matrix.py: one fault at one command of one operation. Cells run one after the other; the other
card, the guard, has no fault, and is asked for its status after each; a token of another module is asked meanwhile. Nobody
is subscribed but by an operation, for its token: what is sent to a card is what the calls take.
"""

import collections
import contextlib
import itertools
import time

from card_user import CardUser
from fault_matrix import (
    COMMITTING,
    READING,
    SLACK,
    Call,
    Cell,
    Contract,
    Fault,
    compare,
    has_settled,
    traces,
)
from sandbox import CODE_COMMANDS, wait_until
from support import BusError, Client, held_at_the_record

PIN, PUK, NEW_PIN = "123456", "12345678", "654321"
DEADLINE = COMMITTING + READING + SLACK

# The watching host holds cards, as it has read them, until it was not asked for 2 seconds.
LOOK_INTERVAL = 2.5
# A read of a card that is held sends hardly anything; one that looks into it afresh sends more than this.
AFRESH_MIN = 20

# The stages of an operation, by which its commands are numbered: until its code is read, and from then on, where some carry it.
BEFORE, FROM, CARRYING = range(3)

# Status words that a card may answer where they do not belong, and garbage: see tests/tokens/README.md.
STATUS_WORDS = ["6982", "6983", "63C0", "63C1", "63C3", "6A82", "6F00", "9000"]
ABOUT_CODES = ["6982", "6983", "63C0", "63C1", "63C3", "status"]
GARBAGE = ["lengths", "truncated", "noise", "status", "excess", "half-status"]

# role: whose code is sent, and is_right whether it is that; tries: that the PIN has left; may_be_last: the caller's word
Operation = collections.namedtuple("Operation", "method role is_right tries may_be_last")

OPERATIONS = {
    "status": Operation("Refresh", None, None, 1, False),
    "unlock": Operation("Unlock", "puk", True, 3, True),
    "unlock, wrong PUK": Operation("Unlock", "puk", False, 3, True),
    "set-pin": Operation("SetPin", "pin", True, 3, True),
    "set-pin, wrong PIN": Operation("SetPin", "pin", False, 3, True),
    "set-pin, last try": Operation("SetPin", "pin", True, 1, False),
}


def faults_at(command):
    """All of them; those that come after the effect only where there is one."""
    faults = [Fault("error", status, False) for status in STATUS_WORDS]
    faults += [Fault("garbage", kind, False) for kind in GARBAGE]
    faults.append(Fault("remove", None, False))
    if command.phase == CARRYING:
        faults += [Fault("error", status, True) for status in STATUS_WORDS]
        faults.append(Fault("remove", None, True))
    return faults


class Attempt:
    """A cell, and what came of it; offset: where the card's record of what its fault counts begins."""

    def __init__(self, cell):
        self.cell = cell
        self.before = self.offset = None
        self.after = self.error = self.message = self.status = self.sent = self.seconds = None

    def spent(self, role):
        """How many tries of "pin" or "puk"."""
        return max(0, self.before[role] - self.after[role])

    def tells_the_last_try(self):
        """Whether the status does, as far as it tells of tries."""
        return self.status["pin-state"] in ("final-try", "unknown")

    def is_lie(self):
        """Whether the card says something else of the code than what it did with it: OpenSC takes what it answers to any
        command of the call for an answer to the code."""
        _, call, fault = self.cell
        if fault.kind == "remove" or call.phase == BEFORE:
            return False
        return call.phase == CARRYING or fault.detail in ABOUT_CODES

    def judge(self, contract):
        """Raises AssertionError if something was broken that is promised."""
        method, role, is_right, _tries, may_be_last = OPERATIONS[self.cell.operation]
        assert self.error is None or self.error in contract.documented[method], "this error is not documented"
        for other in {"pin", "puk"} - {role}:
            assert not self.spent(other), f"a try of the {other} was spent"
        if role is None:
            assert not self.sent, "a code was sent"
            # Whether a card that is not asked for its tries has any is not known to OpenSC, which does not say so.
            assert self.status is None or self.cell.call.function == "VERIFY" or self.tells_the_last_try()
            return
        cost = contract.cost(self.error)
        assert self.seconds < DEADLINE, f"it took {self.seconds} s"
        assert self.spent(role) <= 1, "more than one try was spent"
        assert len(self.sent) == len(set(self.sent)), "a code was sent twice"
        assert not self.sent or cost != "never", "a code was sent, and the reply denies it"
        if not may_be_last:
            assert not self.sent, "the last try was sent without the word"
        if self.is_lie():
            return
        assert not self.spent(role) or cost in ("always", "ask"), "a try was spent, and the reply denies it"
        assert self.spent(role) or cost != "always", "no try was spent, and the reply says so"
        assert self.error is not None or is_right, "a wrong code was taken for right"


def describe(attempt):
    """In words."""
    operation, call, fault = attempt.cell
    what = " ".join(filter(None, [fault.kind, fault.detail, "after" * fault.after]))
    where = f"{call.host} {call.function}, number {call.n} of stage {call.phase}"
    result = f"{attempt.error} {attempt.message} {attempt.status}, {attempt.before}, {attempt.after}, {attempt.sent}"
    return f"{operation}: {what} at {where} ({result})"


def reading(sandbox):
    return [arguments for _, _, arguments in sandbox.processes().values() if "--read" in arguments]


class Bench:
    """with Bench(make_sandbox, kind) as bench: a sandbox with such a card and the guard."""

    _codes = itertools.count(1)

    def __init__(self, make_sandbox, kind):
        guard = "openpgp-card" if kind == "piv-card" else "piv-card"
        self._kind = kind
        self.sandbox = make_sandbox([kind, guard, "etoken"])
        self._contract = Contract()
        self._stack = self._client = self._user = self._clean = None
        self._path = self._guard_path = self._other_path = self._identity = None
        self.card = None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.card, guard, other = self.sandbox.tokens.values()
            self._client = stack.enter_context(Client(self.sandbox))
            self._user = stack.enter_context(CardUser(self.sandbox, "root"))
            self._client.subscribe()
            paths = self._client.paths_by_label()
            self._path, self._guard_path, self._other_path = (paths[token.label] for token in (self.card, guard, other))
            self._identity = self._identify(self._client.status(self._path))
            self._client.unsubscribe()
            # The end of the watch, which waits for something to happen. The card is then found again, but maybe not at once.
            self._put_in()
            self._restore()
            wait_until(lambda: has_settled(self.sandbox), what="the end of the operating hosts")
            self._client.status(self._other_path)
            # What reads a card ends once it has.
            wait_until(lambda: not reading(self.sandbox), what="the end of what reads cards")
            self._clean = traces(self.sandbox)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    @staticmethod
    def _identify(status):
        return [status[key] for key in ("manufacturer", "model", "serial", "label")]

    @staticmethod
    def _look_until(look, what):
        """Returns what look() returns in the end; between two looks the watching host lets go of the cards."""
        looks = itertools.count()

        def look_again():
            if next(looks):
                time.sleep(LOOK_INTERVAL)
            return look()

        return wait_until(look_again, what=what)

    def _find(self):
        """Waits until the service shows the card as what it is; returns its path."""

        def look():
            # This reads all cards, and so tells which there are.
            with contextlib.suppress(BusError):
                self._client.refresh(self._guard_path)
            for path in self._client.tokens():
                with contextlib.suppress(BusError):
                    if self._identify(self._client.refresh(path)) == self._identity:
                        return path
            return None

        return self._look_until(look, f"{self.card.label} on the bus")

    def _commands(self, offset):
        """What the card was sent since its record was so long: name, answer, whether with a code."""
        lines = [line.split() for line in self.sandbox.read_file(f"{self.card.folder}/calls").splitlines()]
        return [
            (words[2], words[3], words[2] in CODE_COMMANDS and int(words[4]) > 5)
            for words in lines[offset:]
            if words[2] != "INVALID"
        ]

    def _offset(self):
        return len(self.sandbox.read_file(f"{self.card.folder}/calls").splitlines())

    def _put_in(self, *faults):
        """Unseen by the service: it will be looked at as a whole."""
        self._user.put_in_again(self.card, *faults)

    # Operations

    def record(self, name):
        """The commands that an operation sends where nothing is wrong, in their order."""
        before = self._record(name, BEFORE)
        if not OPERATIONS[name].may_be_last:
            return before
        # The last ones of the whole are those from the code on.
        after = self._record(name, FROM)
        return before[: -len(after)] + after

    def _record(self, name, stage):
        attempt = Attempt(Cell(name, Call(self._kind, None, None, stage), None))
        self._try(attempt)
        assert bool(attempt.sent) == OPERATIONS[name].may_be_last, f"sent: {attempt.sent}"
        commands = [
            Call(self._kind, command, n, CARRYING if has_code and stage == FROM else stage)
            for n, (command, _, has_code) in enumerate(self._commands(attempt.offset), 1)
        ]
        self._restore(attempt)
        return commands

    def run(self, cell):
        """Returns None, or what is wrong. The next cell finds the card as this one did."""
        attempt = Attempt(cell)
        problems = []
        for steps in ((self._try, self._check), (self._restore,)):
            try:
                for step in steps:
                    step(attempt)
            except (AssertionError, BusError, TimeoutError) as error:
                problems.append(repr(error))
        return f"{describe(attempt)}: {', then '.join(problems)}" if problems else None

    def _check(self, attempt):
        if attempt.cell.fault.kind == "hang":
            self.card.clear_faults()
            # For as long as it did, no card could be asked: whoever wanted that was told so.
            wait_until(lambda: not self.sandbox.hosts("operate"), what="the end of the operating hosts")
        self._check_met(attempt)
        attempt.judge(self._contract)
        wait_until(self._is_guard_served, what="the status of the other card")

    def check_clean(self):
        """Nothing may be left behind, by all that was run."""
        try:
            wait_until(lambda: traces(self.sandbox) == self._clean, what="no trace")
        except TimeoutError:
            raise AssertionError(f"left behind: {compare(self._clean, traces(self.sandbox))}") from None

    def _is_guard_served(self):
        with contextlib.suppress(BusError):
            return self._client.refresh(self._guard_path)["pin-state"] == "ok"
        return False

    def _is_read_afresh(self):
        """In a read that leaves the watching host waiting, and at the beginning of which it held no card."""
        offset = self._offset()
        self._client.subscribe()
        self._client.refresh(self._guard_path)
        self._client.unsubscribe()
        return len(self._commands(offset)) > AFRESH_MIN

    def _settle_watch(self):
        """Each cell finds the watching host as the run without a fault did: waiting, and in the midst of no time for which it
        holds the cards. Where operations follow one another at once it begins one, and a read sends less than it did then."""
        self._look_until(self._is_read_afresh, "a watching host that holds no card")

    def _make_code(self, role, is_right):
        if is_right:
            return {"pin": PIN, "puk": PUK}[role]
        number = next(self._codes)
        return {"pin": f"7{number:05}", "puk": f"9{number:07}"}[role]

    def _line(self, cell):
        if cell.fault is None:
            return []
        kind = "pause" if cell.fault.kind == "hang" else cell.fault.kind
        words = [kind, "*", str(cell.call.n), cell.fault.detail, "after" * cell.fault.after]
        return [" ".join(filter(None, words))]

    def _begin(self, method, code, may_be_last):
        if code is None:
            return self._client.begin(method, self._path)
        options = {"final_attempt": True} if may_be_last else {}
        return self._client.begin_operation(method, self._path, code, NEW_PIN, **options)

    def _begin_before(self, attempt, method, code):
        """Its faults come once the operating host has prepared, and the try is being recorded."""
        with held_at_the_record(self.sandbox) as wait:
            call = self._client.begin_operation(method, self._path, code, NEW_PIN, final_attempt=True)
            wait()
            attempt.offset = self._offset()
            self.card.fault(*self._line(attempt.cell))
        return call

    def _try(self, attempt):
        cell = attempt.cell
        method, role, is_right, tries, may_be_last = OPERATIONS[cell.operation]
        self.card.wrong_pin(self.card.counters()["pin"] - tries)
        code = self._make_code(role, is_right) if role else None
        attempt.before = self.card.counters()
        attempt.offset, begun = self._offset(), time.monotonic()
        if cell.call.phase != BEFORE:
            call = self._begin_before(attempt, method, code)
        else:
            # As if it were new to the watching host: from the first command to the last.
            self._put_in(*self._line(cell))
            call = self._begin(method, code, may_be_last)
        if cell.fault and cell.fault.kind == "hang":
            self.card.wait_paused()
        assert self._client.refresh(self._other_path)["pin-state"] == "ok"
        if cell.fault and cell.fault.kind == "hang":
            assert not self._client.is_answered(call), "a token of another module is not served meanwhile"
        try:
            attempt.status = self._client.finish(call, DEADLINE)
        except BusError as error:
            attempt.error, attempt.message = error.name, error.message
        attempt.seconds = time.monotonic() - begun
        attempt.after = self.card.counters()
        attempt.sent = [command for command, _, has_code in self._commands(attempt.offset) if has_code]

    def _check_met(self, attempt):
        cell = attempt.cell
        if cell.fault.kind == "hang":
            return  # it was waited for
        wanted = {"remove": "REMOVED", "garbage": "GARBAGE"}.get(cell.fault.kind, cell.fault.detail)
        results = [result for _, result, _ in self._commands(attempt.offset)]
        assert results[cell.call.n - 1 : cell.call.n] == [wanted], f"the fault did not come: {results}"

    def _restore(self, attempt=None):
        """The card is there without a fault, and after an operation that may have changed it the right code does what it
        should."""
        self.card.clear_faults()
        wait_until(lambda: not self.sandbox.hosts("operate"), what="the end of the operating hosts")
        self._path = self._find()
        if attempt is None or OPERATIONS[attempt.cell.operation].may_be_last:
            self._unlock_again(attempt)
        self._settle_watch()

    def _unlock_again(self, attempt):
        is_refused = attempt is not None and attempt.error in ("PinIncorrect", "PukIncorrect")
        full = {"pin": 3, "puk": 5 if self.card.kind == "pkcs15-card" else 3}
        self._client.unlock(self._path, PUK, PIN, final_attempt=True, send_refused_code=is_refused)
        assert self.card.counters() == full, "the right code changed nothing"
