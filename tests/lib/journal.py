# SPDX-License-Identifier: LGPL-2.1-or-later
"""A sandbox's own journal: the real journald, and tokend writing to it as it does under systemd.

    with Journal(sandbox) as journal:
        …
        (entry,) = journal.entries(TOKEND_OPERATION="Unlock")
"""

import json
import os

from sandbox import FOLDER, TIMEOUT, wait_until

JOURNALD = "/lib/systemd/systemd-journald"
SOCKETS = "/run/systemd/journal"
FILES = "/run/log/journal"
CATALOGS = "/usr/lib/systemd/catalog"
DATABASE = "/var/lib/systemd/catalog"
# The machine's kernel and its audit are none of the sandbox's; nothing is dropped, whatever is written.
CONFIGURATION = "[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\nReadKMsg=no\nAudit=no\nRateLimitIntervalSec=0\n"


class Journal:
    """From here on tokend, which is started again, writes to the journal, and no more to its log in the sandbox."""

    def __init__(self, sandbox):
        self._sandbox = sandbox
        self._journald = None

    def __enter__(self):
        os.makedirs(self._sandbox.path("/run/systemd/journald.conf.d"))
        os.makedirs(self._sandbox.path(SOCKETS))
        self._sandbox.write_file("/run/systemd/journald.conf.d/sandbox.conf", CONFIGURATION)
        self._journald = self._sandbox.popen("root", [JOURNALD])
        wait_until(lambda: self._sandbox.run("root", ["journalctl", "--sync"]).returncode == 0, what="journald")
        self._sandbox.stop_tokend()
        self._sandbox.start_tokend()
        return self

    def __exit__(self, *_exception):
        if self._sandbox.tokend():
            self._sandbox.stop_tokend()
        self._journald.terminate()
        self._journald.wait(TIMEOUT)

    def read(self, *options, **more):
        """What journalctl prints, of all that was written until now."""
        for argv in (["--sync"], [f"--directory={FILES}", "--no-pager", "--all", *options]):
            finished = self._sandbox.run("root", ["journalctl", *argv], **more)
            if finished.returncode != 0:
                raise RuntimeError(finished.stderr)
        return finished.stdout

    def entries(self, **fields):
        """tokend's entries with these fields, in order, as dicts."""
        matches = [f"{field}={text}" for field, text in fields.items()]
        user = f"_UID={self._sandbox.user_id('tokend')}"
        return [json.loads(line) for line in self.read("--output=json", user, *matches).splitlines()]

    def wait_entries(self, number=1, **fields):
        """Waits until there are so many of them."""

        def look():
            found = self.entries(**fields)
            return found if len(found) >= number else None

        return wait_until(look, what=f"{number} entries with {fields}")

    def explain(self, language, *matches):
        """What journalctl -x prints of the entries that match, in a language of the catalog, which is compiled as it is
        installed. language: "en" or "tr"."""
        root, locales = f"{FOLDER}/catalog", f"{FOLDER}/locales"
        script = f"""
            set -e
            mkdir -p {root}{CATALOGS} {root}{DATABASE} {DATABASE} {locales}
            cp {FOLDER}/source/service/data/systemd/*.catalog {root}{CATALOGS}
            journalctl --update-catalog --root={root}
            cp {root}{DATABASE}/database {DATABASE}
            [ -e {locales}/{language}.utf8 ] || cp -r /usr/lib/locale/C.utf8 {locales}/{language}.utf8
            """
        prepared = self._sandbox.run("root", ["sh", "-c", script])
        if prepared.returncode != 0:
            raise RuntimeError(prepared.stderr)
        # The machine may lack the language: only its name matters here.
        return self.read("--catalog", *matches, env={"LOCPATH": locales, "LANG": f"{language}.UTF-8"})
