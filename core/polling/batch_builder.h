// From what Odoo answered to what is committed. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/model/delivery.h"
#include "core/odoo/odoo_client.h"
#include "core/polling/poll_window.h"
#include "core/storage/ingest_store.h"

namespace poller {

// An order that is to be read in full.
struct WantedOrder {
  OrderId id;
  std::string write_date;         // as the listing gave it; empty: unknown
  std::optional<OrderHead> head;  // what is known of it
  // Recorded only if it is still as listed: for a baseline, which must not swallow what changed
  // after it began.
  bool only_as_listed = false;
  // Its cancellation is announced although the order is not known.
  bool even_cancelled = false;
  bool late = false;  // an earlier pass should have found it
  std::string line_write_date =
      {};  // newest of its lines that a query of lines named; empty: none did
};

struct BuildInput {
  Window window;
  std::string database;
  absl::Time started = absl::InfinitePast();  // of the connection, Odoo's clock
  std::optional<absl::Time> read_at;          // Odoo's clock when the content was read
};

// What became of the wanted orders of one read.
struct BuiltBatch {
  std::vector<Observation> orders;
  std::vector<UnmappableOrder> unmappable;
  std::vector<CancelledOrder> cancelled;  // those with a head alone
  std::vector<OrderId>
      torn;  // changed while they were read, or since the listing: the next poll lists them again
  std::vector<OrderId> vanished;  // listed, but not there any more
};
BuiltBatch BuildBatch(const BuildInput& input, const std::vector<WantedOrder>& wanted,
                      const odoo::FetchedOrders& fetched);

// A dead letter for an order that cannot even be read.
UnmappableOrder Unreadable(const WantedOrder& order, const std::string& reason);

}  // namespace poller
