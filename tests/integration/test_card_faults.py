# SPDX-License-Identifier: LGPL-2.1-or-later
"""The fault matrix of the virtual cards: every fault at every command that a status, an unlock and a set-pin send.

Which commands those are is read from the card's own record of a run where nothing is wrong. In each cell one of them goes
wrong: the card answers a status word where it does not belong, or garbage, or is pulled out. Whatever comes, the service
answers one of its documented errors, in time, and serves other cards and tokens; by the card's own counters and record one
try is spent at the most, and the reply does not deny it; the last one does not go without the word; and once the fault is
gone the right code does what it should, and nothing is left behind.

The suite runs a fixed part of it: a sixth of the faults at the command that carries the code, one at every sixth other from
the code on, and one at every twentieth before; every other cell of these without a sanitizer, and the rest with one. What one
kind and operation leaves out another has. tests/faults runs the whole.
"""

import pytest
from card_matrix import BEFORE, CARRYING, FROM, OPERATIONS, Bench, faults_at
from fault_matrix import Cell, Fault, half_of

KINDS = ["openpgp-card", "openpgp-card:wrong-code=63cx", "piv-card", "pkcs15-card", "pkcs15-card:so-pin=yes"]
# Of how many faults at the command with the code one is run; of how many other commands, from the code on and before, one has
# a fault.
CARRYING_STEP, FROM_STEP, BEFORE_STEP = 6, 6, 20


def choose(calls, offset):
    """Some commands, each with some of its faults."""
    for number, call in enumerate(calls, offset):
        faults = faults_at(call)
        if call.phase == CARRYING:
            yield from ((call, fault) for fault in faults[number % CARRYING_STEP :: CARRYING_STEP])
        elif number % (BEFORE_STEP if call.phase == BEFORE else FROM_STEP) == 0:
            yield call, faults[number * 7 % len(faults)]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_card_faults(kind, name, make_sandbox, matrix, request):
    """All cells hold."""
    problems = []
    with Bench(make_sandbox, kind) as bench:
        calls = bench.record(name)
        if request.config.getoption("--whole-matrix"):
            cells = [Cell(name, call, fault) for call in calls for fault in faults_at(call)]
        else:
            offset = 7 * KINDS.index(kind) + list(OPERATIONS).index(name)
            cells = half_of([Cell(name, call, fault) for call, fault in choose(calls, offset)])
        for cell in cells:
            problem = bench.run(cell)
            matrix.append((cell, problem is None))
            problems += filter(None, [problem])
        bench.check_clean()
    assert cells and not problems, "\n".join(problems)


@pytest.mark.long
@pytest.mark.parametrize(
    "kind, name, phase",
    [
        ("openpgp-card", "unlock", CARRYING),
        ("piv-card", "set-pin, wrong PIN", CARRYING),
        ("pkcs15-card", "unlock, wrong PUK", CARRYING),
        ("openpgp-card", "set-pin", FROM),
        ("piv-card", "unlock", FROM),
        ("openpgp-card", "unlock, wrong PUK", BEFORE),
        ("piv-card", "set-pin", BEFORE),
        ("pkcs15-card", "set-pin, wrong PIN", BEFORE),
        ("openpgp-card", "status", BEFORE),
        ("piv-card", "set-pin, last try", BEFORE),
        ("pkcs15-card", "status", BEFORE),
    ],
)
def test_card_that_hangs(kind, name, phase, make_sandbox, matrix, request):
    """Beyond every deadline, at a command of that stage; of those before the code at one in the middle of the last look."""
    with Bench(make_sandbox, kind) as bench:
        calls = [call for call in bench.record(name) if call.phase == phase]
        if not request.config.getoption("--whole-matrix"):
            calls = calls[-len(calls) // 4 :][:1] if phase == BEFORE else calls[:1]
        problems = []
        for call in calls:
            problem = bench.run(Cell(name, call, Fault("hang", None, False)))
            matrix.append((Cell(name, call, Fault("hang", None, False)), problem is None))
            problems += filter(None, [problem])
        bench.check_clean()
    assert calls and not problems, "\n".join(problems)
