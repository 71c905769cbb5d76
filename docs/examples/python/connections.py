"""Lists the connections, or adds one.

    connections.py --token-file data/admin.token list
    connections.py --token-file data/admin.token add --name shop1 --url https://shop1.odoo.com ...
"""

import pathlib
import sys
import uuid

import grpc
from odoopoller.v1 import connection_service_pb2 as api
from odoopoller.v1 import connection_service_pb2_grpc as services
import poller


def all_connections(stub, options):
    """Page after page; the token of the next page is empty at the end."""
    request = api.ListConnectionsRequest(page_size=100)
    while True:
        answer = stub.ListConnections(request, timeout=poller.DEADLINE,
                                      metadata=poller.authorization(options))
        yield from answer.connections
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


def add(stub, options):
    # With a request id the call can be repeated without making a second connection.
    request = api.CreateConnectionRequest(request_id=str(uuid.uuid4()))
    request.connection.name = options.name
    request.connection.odoo.url = options.url
    request.connection.odoo.database = options.database
    request.connection.odoo.username = options.username
    request.connection.webhook.url = options.webhook_url
    for path, settings, field in [(options.api_key_file, request.connection.odoo, "api_key"),
                                  (options.webhook_secret_file, request.connection.webhook, "secret")]:
        if path:
            setattr(settings, field, pathlib.Path(path).read_text().strip())
    return stub.CreateConnection(request, timeout=poller.DEADLINE,
                                 metadata=poller.authorization(options)).connection


def main():
    parser = poller.arguments("Lists the connections, or adds one.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list")
    adding = verbs.add_parser("add")
    for name in ["name", "url", "database", "username", "api-key-file", "webhook-url", "webhook-secret-file"]:
        adding.add_argument("--" + name, default="")
    options = parser.parse_args()
    with poller.connect(options) as channel:
        stub = services.ConnectionServiceStub(channel)
        try:
            shown = [add(stub, options)] if options.verb == "add" else all_connections(stub, options)
            for connection in shown:
                print(connection.id, connection.name, connection.odoo.url)
        except grpc.RpcError as error:
            sys.exit(poller.explain(error))


if __name__ == "__main__":
    main()
