# SPDX-License-Identifier: LGPL-2.1-or-later
"""Making a SoftHSM2 store, for the token of that kind and for the one below the simulated eToken."""

import os
import stat

from pkcs11 import CKU_SO, CKU_USER, Module

LIBRARY = "/usr/lib/softhsm/libsofthsm2.so"


def write_configuration(path, store):
    with open(path, "w", encoding="ascii") as file:
        file.write(f"directories.tokendir = {store}\nobjectstore.backend = file\nlog.level = ERROR\n")


def make_token(configuration, label, pin, puk, objects=()):
    """Initialises a token in the store that @configuration names; @objects are templates of what it shall hold."""
    os.environ["SOFTHSM2_CONF"] = configuration
    module = Module(LIBRARY)
    slot = module.slots()[-1]  # the last one is always a token that is not initialised
    module.init_token(slot, puk, label)
    session = module.open_session(slot)
    module.login(session, CKU_SO, puk)
    module.init_pin(session, pin)
    module.call("Logout", session)
    if objects:
        module.login(session, CKU_USER, pin)
        for template in objects:
            module.create_object(session, template)
    module.finalize()


def share(folder):
    """SoftHSM2's files are for their owner alone; here the programs of several users work on one token."""
    os.chmod(folder, 0o777)
    for parent, folders, files in os.walk(folder):
        for name in folders:
            os.chmod(os.path.join(parent, name), 0o777)
        for name in files:
            path = os.path.join(parent, name)
            os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) | 0o666)
