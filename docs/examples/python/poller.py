"""What every client of the poller needs: a channel, a token, and errors that a program can read."""

import argparse
import pathlib

import grpc
from google.rpc import error_details_pb2, status_pb2

DEADLINE = 10  # seconds, for calls that answer once

# A quiet stream may last for days. The pings find out that the other side has gone, and keep the
# boxes in between from forgetting the connection. The server allows one every 10 seconds.
CHANNEL_OPTIONS = [
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", 16 << 20),
]


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--server", default="127.0.0.1:50051", help="HOST:PORT or unix:PATH")
    parser.add_argument("--token-file", required=True)
    parser.add_argument("--ca", help="PEM of the authority that signed the server's certificate: use TLS")
    return parser


def connect(options):
    if not options.ca:
        return grpc.insecure_channel(options.server, CHANNEL_OPTIONS)
    credentials = grpc.ssl_channel_credentials(pathlib.Path(options.ca).read_bytes())
    return grpc.secure_channel(options.server, credentials, CHANNEL_OPTIONS)


def authorization(options):
    """Read for each call, so that a token that was replaced is taken without a restart."""
    token = pathlib.Path(options.token_file).read_text().strip()
    return (("authorization", f"Bearer {token}"),)


def details_of(error):
    """The ErrorInfo and the wrong fields {path: description} that came with an error."""
    info, fields = error_details_pb2.ErrorInfo(), {}
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in status_pb2.Status.FromString(value).details:
            bad = error_details_pb2.BadRequest()
            if detail.Unpack(bad):
                fields = {v.field: v.description for v in bad.field_violations}
            detail.Unpack(info)
    return info, fields


def explain(error):
    """An error in a few lines: "ALREADY_EXISTS NAME_TAKEN: text", then the fields."""
    info, fields = details_of(error)
    lines = [f"{error.code().name} {info.reason}: {error.details()}"]
    return "\n".join(lines + [f"  {field}: {what}" for field, what in sorted(fields.items())])
