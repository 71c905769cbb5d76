"""Follows the orders of all shops into a database of its own, without a gap and without a repeat.

    follow_orders.py --token-file data/admin.token --database orders.db

It can be stopped and killed at any time, and so can the server: the next start goes on where the
database ends.
"""

import random
import sqlite3
import sys
import time

import grpc
from odoopoller.v1 import event_pb2
from odoopoller.v1 import order_service_pb2, order_service_pb2_grpc
from odoopoller.v1 import sync_log_service_pb2, sync_log_service_pb2_grpc
import poller

TYPES = [
    event_pb2.EVENT_TYPE_ORDER_FOUND,
    event_pb2.EVENT_TYPE_DELIVERY_SUCCEEDED,
    event_pb2.EVENT_TYPE_DELIVERY_SUPERSEDED,
    event_pb2.EVENT_TYPE_DELIVERY_WITHDRAWN,
    event_pb2.EVENT_TYPE_DELIVERY_DEAD,
    event_pb2.EVENT_TYPE_DELIVERY_DISCARDED,
]
# To repeat these calls changes nothing: somebody has to look.
GIVE_UP = {
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNIMPLEMENTED,
}


class Store:
    """What this service makes of the events, and its place in the stream: always one transaction."""

    def __init__(self, path):
        self.db = sqlite3.connect(path)
        with self.db:
            self.db.execute("CREATE TABLE IF NOT EXISTS position (log_id TEXT, sequence INTEGER)")
            self.db.execute("CREATE TABLE IF NOT EXISTS history (log_id TEXT, sequence INTEGER, type TEXT,"
                            " connection_id INTEGER, order_name TEXT, PRIMARY KEY (log_id, sequence))")
            self.db.execute("CREATE TABLE IF NOT EXISTS orders (connection_id INTEGER, order_id INTEGER,"
                            " name TEXT, state TEXT, PRIMARY KEY (connection_id, order_id))")

    def position(self):
        """("", 0) at first: from the oldest event that is kept."""
        return self.db.execute("SELECT log_id, sequence FROM position").fetchone() or ("", 0)

    def _move(self, log_id, sequence):
        self.db.execute("DELETE FROM position")
        self.db.execute("INSERT INTO position VALUES (?, ?)", (log_id, sequence))

    def take(self, event):
        what = event_pb2.EventType.Name(event.type).removeprefix("EVENT_TYPE_")
        with self.db:
            self.db.execute("INSERT INTO history VALUES (?, ?, ?, ?, ?)",
                            (event.log_id, event.sequence, what, event.connection_id, event.order_name))
            self.db.execute("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?)",
                            (event.connection_id, event.order_id, event.order_name, what))
            self._move(event.log_id, event.sequence)

    def move_on(self, log_id, sequence):
        """Nothing happened that concerns us, up to here."""
        if (log_id, sequence) == self.position():
            return
        with self.db:
            self._move(log_id, sequence)

    def start_again(self, orders, log_id, sequence):
        """Events were missed: here is what the orders are now, and where the stream goes on."""
        with self.db:
            self.db.execute("DELETE FROM orders")
            for order in orders:
                self.db.execute("INSERT INTO orders VALUES (?, ?, ?, ?)",
                                (order.connection_id, order.order_id, order.name, "LISTED"))
            self._move(log_id, sequence)


def all_orders(channel, options):
    stub = order_service_pb2_grpc.OrderServiceStub(channel)
    request = order_service_pb2.ListOrdersRequest(page_size=500)
    while True:
        answer = stub.ListOrders(request, timeout=poller.DEADLINE, metadata=poller.authorization(options))
        yield from answer.orders
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


def follow_once(channel, options, store, alive):
    """Until the stream ends, which it does with an error, always."""
    log_id, sequence = store.position()
    request = sync_log_service_pb2.StreamSyncEventsRequest(
        log_id=log_id, after_sequence=sequence, types=TYPES)
    stub = sync_log_service_pb2_grpc.SyncLogServiceStub(channel)
    # No deadline: keepalive notices a server that is gone.
    for message in stub.StreamSyncEvents(request, metadata=poller.authorization(options)):
        if message.HasField("event"):
            store.take(message.event)
        else:
            store.move_on(message.heartbeat.log_id, message.heartbeat.sequence)
        alive()


def recover(error, channel, options, store):
    """Events were missed for good: take the orders as they are, and follow from the end of the log.

    The end first, the orders afterwards: what happens in between is seen twice, which does no harm.
    """
    info, _ = poller.details_of(error)
    orders = list(all_orders(channel, options))
    store.start_again(orders, info.metadata["log_id"], int(info.metadata["newest_sequence"]))


def follow(channel, options, store):
    failures = 0

    def alive():
        nonlocal failures
        failures = 0

    while True:
        try:
            try:
                follow_once(channel, options, store, alive)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.OUT_OF_RANGE:
                    raise
                print(poller.explain(error), file=sys.stderr, flush=True)
                recover(error, channel, options, store)
        except grpc.RpcError as error:
            print(poller.explain(error), file=sys.stderr, flush=True)
            if error.code() in GIVE_UP:
                raise
            failures += 1
            time.sleep(min(30, 0.5 * 2 ** min(failures, 6)) * random.uniform(0.5, 1))


def main():
    parser = poller.arguments("Follows the orders of all shops into a database.")
    parser.add_argument("--database", required=True)
    options = parser.parse_args()
    with poller.connect(options) as channel:
        try:
            follow(channel, options, Store(options.database))
        except grpc.RpcError:
            sys.exit(1)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
