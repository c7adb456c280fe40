# SPDX-License-Identifier: LGPL-2.1-or-later
"""The fault matrix: every fault at every PKCS#11 call that a start, status, unlock and set-pin make.

Which calls those are is read from the token's own record of a run where nothing is wrong. In each cell one of them
goes wrong: the module crashes, hangs, answers an error or garbage, or the token is pulled out; before the call has had
its effect, or after it. Whatever comes, the service answers one of its documented errors within its deadline, and
serves another token meanwhile; one try is spent at the most, and the reply does not deny it; and once the fault is
gone the status is the token's own, the right code does what it should, and nothing is left behind.

An error that a call answers which changes nothing comes before its effect at one call and after it at the next: what
was handed back is all the difference.

The suite runs a fixed part of it: at the calls that carry a code, and at C_Logout, all faults, and of each error of
PKCS#11 one of its two; at any other call one error, another one each time, and a sixth of all else, so that each call
meets some faults and each fault some calls. Of that part every other cell runs without a sanitizer, and the rest with
one. tests/faults runs the whole. What held is printed at the end, and call by call it is in fault-matrix.txt of the build
folder.
"""

import pytest
from fault_matrix import (
    CALLS_THAT_CHANGE,
    GARBAGE,
    OPERATIONS,
    Bench,
    Cell,
    Fault,
    all_results,
    half_of,
    may_outlive,
)

# Of how many faults one is run, at a call that carries no code.
STEP = 6
SHARDS = {"start": 1, "status": 1, "unlock": 3, "unlock, wrong PUK": 2, "set-pin": 3, "set-pin, wrong PIN": 2}


@pytest.fixture(name="is_whole")
def fixture_is_whole(request):
    """Whether the whole matrix is to be run."""
    return request.config.getoption("--whole-matrix")


def faults_at(call):
    """All but hangs and errors."""
    faults = [Fault(kind, None, after) for kind in ("crash", "remove") for after in (False, True)]
    return faults + [Fault("garbage", kind, False) for kind in GARBAGE[call.function]]


def each_once(number, errors):
    """Each result, before or after; the other way round at the next call."""
    half = len(errors) // 2
    return errors[:half] if number % 2 == 0 else errors[half:]


def errors_at(call, number, errors, is_whole):
    """Of the errors those that this call is to answer; a part of them is another one at the next call."""
    changes = call.function in CALLS_THAT_CHANGE
    if is_whole:
        return errors if changes else each_once(number, errors)
    return each_once(number, errors) if changes else [errors[number * 37 % len(errors)]]


def choose(name, calls, is_whole):
    """Each call with each of its faults."""
    # Each result twice: once before the effect and once after it.
    results = list(enumerate(all_results()))
    errors = [Fault("error", result, (number + half) % 2 == 1) for half in (0, 1) for number, result in results]
    # What comes before the effect with the right code comes after it with a wrong one.
    for number, call in enumerate(calls, start=int("wrong" in name)):
        faults = faults_at(call)
        if not is_whole and call.function not in CALLS_THAT_CHANGE:
            faults = [fault for place, fault in enumerate(faults) if (number + place) % STEP == 0]
        yield from ((call, fault) for fault in faults + errors_at(call, number, errors, is_whole))


def record(bench, name):
    """The calls of an operation in which faults are to come: a wrong code changes nothing before it is sent."""
    calls = bench.record(name)
    return [call for call in calls if call.host == "operate"] if "wrong" in name else calls


def run(bench, cells, matrix):
    """In waves; all cells must hold, and are added to the matrix."""
    # The watching host that fails is started again a second later: best all at once.
    cells = sorted(cells, key=lambda cell: (cell.call.phase, cell.call.host, cell.fault.kind))
    problems = []
    for begin in range(0, len(cells), len(bench.tokens)):
        for attempt in bench.run(cells[begin : begin + len(bench.tokens)]):
            matrix.append((attempt.cell, attempt.problem is None))
            problems += filter(None, [attempt.problem])
    assert cells and not problems, "\n".join(problems)


@pytest.mark.long
@pytest.mark.parametrize("phase", ["with the code", "else", "at the start"])
def test_hangs(phase, make_sandbox, matrix, is_whole):
    """All at once: it takes as long as the longest deadline, and what holds a code is not ended by the service."""
    names = [name for name in OPERATIONS if (name == "start") == (phase == "at the start")]
    with Bench(make_sandbox) as bench:
        cells = []
        for name in names:
            for number, call in enumerate(record(bench, name)):
                changes = call.function in CALLS_THAT_CHANGE
                if is_whole or changes or number % STEP == 0:
                    cells += [Cell(name, call, Fault("hang", None, after)) for after in {False, changes}]
        if phase != "at the start":
            cells = [cell for cell in cells if may_outlive(cell) == (phase == "with the code")]
        run(bench, cells, matrix)


@pytest.mark.parametrize("name, shard", [(name, shard) for name, count in SHARDS.items() for shard in range(count)])
def test_faults(name, shard, make_sandbox, matrix, is_whole):
    """Those that do not hang."""
    with Bench(make_sandbox) as bench:
        cells = [Cell(name, call, fault) for call, fault in choose(name, record(bench, name), is_whole)]
        if not is_whole:
            cells = half_of(cells)
        run(bench, cells[shard :: SHARDS[name]], matrix)
