"""What a listener needs to serve HTTPS: a certificate and its key, made ready at start or refused in plain words."""

import os
import ssl
from pathlib import Path


class TlsError(Exception):
    """A certificate or key that can't be used; the message is for the user."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 and later for a listener; `certificate` holds its own certificate first, then those that vouch for it.

    Raises TlsError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for file in (certificate, key):
        if not os.access(file, os.R_OK) or not file.is_file():  # in this order: is_file fails where one may not look
            raise TlsError(f"{file} is not there, or is no file that can be read")
    try:
        context.load_cert_chain(certificate, key, password=_refuse_password)
    except OSError as error:  # ssl.SSLError is one
        raise TlsError(_problem(error, certificate, key)) from error
    return context


def _refuse_password() -> str:
    """Asked for when the key is encrypted; without this, OpenSSL would ask the terminal."""
    raise TlsError("the key is protected by a password; give one that isn't")


def _problem(error: OSError, certificate: Path, key: Path) -> str:
    if "KEY_VALUES_MISMATCH" in str(error):
        return f"the key in {key} doesn't belong to the certificate in {certificate}"
    return f"{certificate} and {key} aren't a certificate and its key in PEM form: {error.strerror or error}"
