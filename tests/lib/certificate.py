# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes certificates to sign with, as an issuer would, but with an end to the second."""

import os
import subprocess
import tempfile
import time

CONFIGURATION = """\
[ca]
default_ca = issuer
[issuer]
database = {folder}/database
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = names
x509_extensions = extensions
[names]
countryName = supplied
organizationName = supplied
commonName = supplied
[extensions]
basicConstraints = critical,CA:FALSE
keyUsage = critical,nonRepudiation
"""


def asn1_time(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds))


def make_certificate(end, organization):
    """A certificate, in DER, that ends at this time (seconds since the epoch); its issuer has this name."""
    with tempfile.TemporaryDirectory() as folder:
        key, request, certificate = (os.path.join(folder, name) for name in ("key", "request", "certificate"))
        with open(f"{folder}/conf", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(folder=folder))
        with open(f"{folder}/database", "w", encoding="ascii"):
            pass
        key_options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", key]
        subject = ["-subj", f"/C=TR/O={organization}/CN=Signer"]
        ends = ["-startdate", asn1_time(end - 3 * 365 * 86400), "-enddate", asn1_time(end)]
        for command in (
            ["req", "-new", *key_options, *subject, "-out", request],
            ["ca", "-batch", "-selfsign", "-notext", "-config", f"{folder}/conf", "-keyfile", key, *ends]
            + ["-in", request, "-out", certificate],
            ["x509", "-in", certificate, "-outform", "DER", "-out", f"{certificate}.der"],
        ):
            subprocess.run(["openssl", *command], check=True, stderr=subprocess.DEVNULL)
        with open(f"{certificate}.der", "rb") as file:
            return file.read()
