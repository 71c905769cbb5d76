// What another program knew of shops, taken over as a whole.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/model/connection.h"
#include "core/model/event.h"
#include "core/model/ids.h"

namespace poller {

// An order, as far as the other program dealt with it. Its content is not known here.
struct ImportedOrder {
  enum class Fate {
    kSent,     // the receiver accepted it: known, and not sent again while Odoo does not change it
    kOwed,     // it was to be tried again: read from Odoo by the first complete poll, and delivered
    kGivenUp,  // dead: nothing of it goes out until an operator retries it or Odoo changes it
  };
  OrderId order;
  std::string name;
  Fate fate = Fate::kSent;
  std::string write_date;  // Odoo's form: of the state that was sent or tried
  absl::Time known_at;     // when that state was read, or soon after
  int attempts = 0;        // requests made for it
  std::string error;       // why the last of them failed, safe to show
  std::string record;      // what there is of it, as JSON, for people; sealed at rest
};

struct ImportedConnection {
  using Take = std::function<absl::Status(const ImportedOrder&)>;

  ConnectionSettings settings;  // validated
  std::string pause_note;       // Connection
  // Odoo's clock: what was written before was dealt with by the other program. Its polls begin
  // there, so that what was committed late is found. InfinitePast: begins at `started`.
  absl::Time mark = absl::InfinitePast();
  // What was confirmed before is announced as an update. Without a mark: what was written before is
  // baseline. InfinitePast: when it is polled for the first time.
  absl::Time started = absl::InfinitePast();
  // Gives every order once, in any order, and stops at an error of `take`. Called inside the
  // transaction, from another thread than Import's caller, who waits. May be empty.
  std::function<absl::Status(const Take& take)> orders;
};

struct ImportedCounts {
  std::int64_t connections = 0;
  std::int64_t sent = 0;
  std::int64_t owed = 0;
  std::int64_t given_up = 0;
};

// Thread-safe. Blocking.
class ImportStore {
 public:
  virtual ~ImportStore() = default;
  // Everything, or nothing: one transaction, with an event for each connection and each order that
  // was given up. kAlreadyExists (reason NAME_TAKEN): there is a connection of that name.
  // kUnavailable: disk full. Errors of `orders` are passed on.
  virtual absl::StatusOr<ImportedCounts> Import(const std::vector<ImportedConnection>& connections,
                                                const Actor& actor, absl::Time now) = 0;
};

}  // namespace poller
