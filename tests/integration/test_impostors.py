# SPDX-License-Identifier: LGPL-2.1-or-later
"""One who stands where another should: a second service, a socket that is not the supervisor's, a host that lies."""

import json
import os

import pytest
from sandbox import BUILD, FOLDER, SYSTEM_PATH, wait_until
from support import Client, nothing_sent, only_path, only_token, raises

PUK, NEW_PIN, WRONG = "12345678", "4321", "11111111"
OPERATE = "/run/tokend/operate.sock"
HOST = f"{FOLDER}/bin/tokend-module"
LIES, CALLS = f"{FOLDER}/lies", f"{FOLDER}/log/lying-host"

# Listens on the socket of argv, and says how many bytes came of the first who connects.
LISTENER = """
import os, socket, sys
with socket.socket(socket.AF_UNIX) as listening:
    listening.bind(sys.argv[1])
    listening.listen()
    print("listening", flush=True)
    peer, _ = listening.accept()
    with peer:
        data, descriptors, _flags, _address = socket.recv_fds(peer, 4096, 16)
        print("got", len(data), len(descriptors), flush=True)
"""


def test_a_second_service_ends(sandbox):
    """It would write a ledger that forgets what the first one records. The first goes on."""
    first = sandbox.tokend()
    become = ["env", "-i", f"PATH={SYSTEM_PATH}", f"{BUILD}/service/tokend", "--no-timeout"]
    second = sandbox.run("tokend", become)
    assert second.returncode == 1
    assert "another tokend has it" in second.stderr
    assert sandbox.tokend() == first
    assert sandbox.status(token="ETOKEN")["pin-retries-remaining"] == 3


def test_a_service_without_its_folder_ends(sandbox):
    """What it could not record it does not do."""
    sandbox.stop_tokend()
    os.rename(sandbox.path("/var/lib/tokend"), sandbox.path("/var/lib/tokend.away"))
    become = ["env", "-i", f"PATH={SYSTEM_PATH}", f"{BUILD}/service/tokend", "--no-timeout"]
    homeless = sandbox.run("tokend", become)
    assert homeless.returncode == 1
    assert "/var/lib/tokend cannot be used" in homeless.stderr
    os.rename(sandbox.path("/var/lib/tokend.away"), sandbox.path("/var/lib/tokend"))
    sandbox.start_tokend()


def test_a_socket_that_is_not_roots_gets_nothing(sandbox):
    """Not even a descriptor, and so no code, also if it is the service's own user who listens."""
    token = only_token(sandbox)
    os.unlink(sandbox.path(OPERATE))
    log = f"{FOLDER}/log/listener"
    sandbox.write_file(log, "")
    script = f'exec /usr/bin/python3 -c "$0" {OPERATE}'
    with open(sandbox.path(log), "ab") as output:
        listener = sandbox.popen("tokend", ["sh", "-c", script, LISTENER], stdout=output)
    try:
        wait_until(lambda: "listening" in sandbox.read_file(log), what="the listener")
        with Client(sandbox) as client, nothing_sent(token):
            with raises("ModuleFailed") as caught:
                client.unlock(only_path(client), PUK, NEW_PIN)
            assert "not to root" in caught[0].message
        wait_until(lambda: "got 0 0" in sandbox.read_file(log), what="the end of the connection")
    finally:
        listener.kill()
        listener.wait()


def lying_hosts(sandbox):
    """From now on operating hosts are those of lying_host.py. Returns a function that says which lies they tell, and
    begins their record anew, and one that returns this record: what they were called."""
    source = f"{FOLDER}/source"
    lying = f"{source}/tests/integration/lying_host.py {source}/dbus/org.tokend.Module1.xml {LIES} {CALLS}"
    honest = f"{BUILD}/service/host/tokend-module"
    script = f'#!/bin/sh\n[ "$1" = --watch ] || exec /usr/bin/python3 -B {lying}\nexec {honest} "$@"\n'

    def lie(**lies):
        sandbox.write_file(LIES, json.dumps(lies))
        sandbox.write_file(CALLS, "")
        os.chmod(sandbox.path(CALLS), 0o666)

    sandbox.write_file(f"{HOST}.lying", script)
    os.chmod(sandbox.path(f"{HOST}.lying"), 0o755)
    os.rename(sandbox.path(f"{HOST}.lying"), sandbox.path(HOST))
    return lie, lambda: sandbox.read_file(CALLS).split()


@pytest.mark.parametrize("method", ["Unlock", "SetPin"])
def test_a_host_that_prepared_something_else(sandbox, method):
    """Another token than was asked for, or what is no digest: it is not told to send the code."""
    token = only_token(sandbox)
    others = [{"manufacturer": "Another"}, {"model": "another"}, {"serial": "00"}, {"label": "ANOTHER"}]
    lie, called = lying_hosts(sandbox)
    with Client(sandbox) as client, nothing_sent(token):
        path = only_path(client)
        for lies in [*others, {"digest": 0}, {"digest": 31}, {"digest": 33}]:
            lie(**lies)
            with raises("ModuleFailed") as caught:
                client.finish(client.begin_operation(method, path, WRONG, NEW_PIN))
            assert "something else" in caught[0].message
            assert called() == ["Load", "Prepare"], lies
        # One that has it all right is told to.
        lie()
        with raises("PukIncorrect", "PinIncorrect"):
            client.finish(client.begin_operation(method, path, WRONG, NEW_PIN))
        # It does not say whether the card may be open: then it may.
        assert called() == ["Load", "Prepare", "Commit", "Read", "Close"]
