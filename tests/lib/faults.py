# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the whole fault matrices, of the simulated eToken and of the cards. Arguments are pytest's: -k 'unlock' runs a part.

Installs what is missing and builds first, as tests/sandbox does. TOKEND_BUILD names another build folder than _build.
"""

import os
import subprocess
import sys

from prepare import SOURCE, become_root, give_to_owner, prepare

# The sandboxes wait more than they compute: more of them than cores.
WORKERS = str(2 * (os.cpu_count() or 1))


def main():
    become_root()
    build = prepare()
    command = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-n", WORKERS, "--quiet"]
    command += ["--whole-matrix", *(f"{SOURCE}/tests/integration/test_{name}.py" for name in ("faults", "card_faults"))]
    command += sys.argv[1:]
    finished = subprocess.run(command, check=False)
    give_to_owner(build)
    sys.exit(finished.returncode)


main()
