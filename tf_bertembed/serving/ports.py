"""Ports that a server takes."""

import errno
import ipaddress
import socket

from tf_bertembed.common import BertEmbedError


def address(host, port):
    """Write a host and a port as one address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def bind(host, port):
    """Take a port and listen at it.

    Args:
        host: string. The address to listen at.
        port: int. 0 for any free port.

    Returns:
        A pair of the socket and the port that was taken.

    Raises:
        BertEmbedError: where it cannot be taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Now, so that a second server learns at once that the port is taken.
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise BertEmbedError(
                f"The server cannot listen at {address(host, port)}. Received: "
                f"{error.strerror or error}. An address of this machine was expected."
            ) from error
        raise taken(host, port, f"{error.strerror or error}.") from error
    except OverflowError as error:
        listener.close()
        raise taken(host, port, "A port is a number up to 65535.") from error
    return listener, listener.getsockname()[1]


def taken(host, port, problem):
    """The error of a port that cannot be taken."""
    return BertEmbedError(
        f"The server cannot listen at {address(host, port)}. Received: {problem} "
        "Choose another port."
    )


def is_loopback(host):
    """Whether this machine alone reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
