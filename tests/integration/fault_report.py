# SPDX-License-Identifier: LGPL-2.1-or-later
"""What held of the fault matrices, as tables."""

import collections
import os

from fault_matrix import OPERATIONS, Call, Cell, Fault
from sandbox import SOURCE

COLUMNS = ["crash", "crash after", "hang", "hang after", "remove", "remove after", "error", "error after", "garbage"]


def column(cell):
    """Where a cell stands in the table."""
    return cell.fault.kind + (" after" if cell.fault.after else "")


def make_table(cells, row_of):
    """Lines of text: how many cells held; cells: of (Cell, whether it held); row_of: from a cell to its row's name."""
    rows = {}
    for cell, held in cells:
        counts = rows.setdefault(row_of(cell), collections.defaultdict(lambda: [0, 0]))
        counts[column(cell)][not held] += 1
    width = max(map(len, rows))

    def show(held, failed):
        return f"{failed} FAILED" if failed else str(held or "")

    yield " ".join([" " * width, *(f"{name:>12}" for name in COLUMNS)])
    for row, counts in rows.items():
        yield " ".join([f"{row:{width}}", *(f"{show(*counts[name]):>12}" for name in COLUMNS)]).rstrip()


def pack(cells):
    """For the way from one process of pytest to another, where there are no tuples."""
    return [[cell.operation, [*cell.call], [*cell.fault], held] for cell, held in cells]


def unpack(packed):
    """What was packed."""
    return [(Cell(name, Call(*call), Fault(*fault)), held) for name, call, fault, held in packed]


def report(cells, write):
    """Shows the matrix by function, and writes it by call into the build folder."""
    names = [*OPERATIONS, *(cell.operation for cell, _ in cells)]
    cells = sorted(cells, key=lambda pair: (names.index(pair[0].operation), pair[0].call[:3]))
    by_function = make_table(cells, lambda cell: f"{cell.operation}: {cell.call.host} {cell.call.function}")
    for line in by_function:
        write(line)
    failed = sum(not held for _, held in cells)
    calls = len({(cell.operation, cell.call) for cell, _ in cells})
    write(f"{len(cells)} cells at {calls} calls: {len(cells) - failed} held, {failed} failed")
    by_call = make_table(cells, lambda c: f"{c.operation}: {c.call.host} {c.call.function} {c.call.n}")
    folder = os.environ.get("TOKEND_BUILD", f"{SOURCE}/_build")
    with open(f"{folder}/fault-matrix.txt", "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in by_call)
