// Reads records by id with the fields that this Odoo has.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/async/task.h"
#include "core/odoo/caller.h"
#include "core/odoo/fields.h"
#include "core/odoo/odoo_client.h"

namespace poller::odoo {

// Asks for a model's fields once and keeps the answer as long as Odoo has the same version. Used by
// one coroutine at a time.
class RecordSource {
 public:
  // `caller` outlives the source.
  explicit RecordSource(Caller& caller) : caller_(caller) {}

  // Those of `ids` that exist, in one call; no call if there are none. `wanted` is one of fields.h.
  // If the fields changed since they were asked for (a module came or went), they are asked for
  // again, once.
  Task<absl::StatusOr<RecordMap>> Read(const ModelFields* wanted, std::vector<std::int64_t> ids);
  // Those of the wanted fields that this Odoo has.
  Task<absl::StatusOr<std::vector<std::string>>> Fields(const ModelFields* wanted);

  // Whether orders may be read nested: until this Odoo has shown that it cannot (RefuseNested).
  bool nested_works();
  void RefuseNested() { nested_refused_ = true; }

 private:
  void ForgetOtherVersion();
  Task<absl::StatusOr<RecordMap>> ReadFields(const ModelFields* wanted,
                                             std::vector<std::int64_t> ids,
                                             std::vector<std::string> fields);

  Caller& caller_;
  std::string version_;  // which `known_` and `nested_refused_` are about
  std::map<std::string, std::vector<std::string>> known_;
  bool nested_refused_ = false;
};

}  // namespace poller::odoo
