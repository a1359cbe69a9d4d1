"""Whom the client commands trust when a server speaks HTTPS."""

import ssl
from pathlib import Path
from typing import Final

from lampion.cli.failure import ExitCode, Failure
from lampion.cli.location import Server

_PEM_END: Final = "-----END CERTIFICATE-----"


def trust_of(server: Server) -> ssl.SSLContext:
    """The certificate of a server found by its data directory; else AWS_CA_BUNDLE, or the system's authorities.

    Raises Failure.
    """
    try:
        if server.certificate is not None:
            return _pinned(server.certificate)
        return ssl.create_default_context(cafile=server.authorities)
    except OSError as error:  # ssl.SSLError is one
        file = server.certificate or server.authorities
        raise Failure(ExitCode.USAGE, f"the certificate in {file} can't be used", why=str(error)) from error


def _pinned(certificate: Path) -> ssl.SSLContext:
    """Trusts the first certificate of the file and no other: it names the server better than any host name does."""
    text = certificate.read_text(encoding="ascii", errors="replace")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=text.partition(_PEM_END)[0] + _PEM_END)
    return context
