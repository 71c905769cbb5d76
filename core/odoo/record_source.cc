#include "core/odoo/record_source.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "core/base/status.h"
#include "core/odoo/calls.h"
#include "core/odoo/error_kind.h"
#include "core/odoo/records.h"

namespace poller::odoo {

namespace json = boost::json;

void RecordSource::ForgetOtherVersion() {
  const std::string& version = caller_.session().server_version;
  if (version == version_) return;
  version_ = version;
  known_.clear();
  nested_refused_ = false;
}

bool RecordSource::nested_works() {
  ForgetOtherVersion();
  return !nested_refused_;
}

Task<absl::StatusOr<std::vector<std::string>>> RecordSource::Fields(const ModelFields* wanted) {
  ForgetOtherVersion();
  const auto known = known_.find(wanted->model);
  if (known != known_.end()) co_return known->second;
  Call call = FieldsGet(*wanted);
  CO_ASSIGN_OR_RETURN(const json::value answer, co_await caller_.Execute(std::move(call)));
  CO_ASSIGN_OR_RETURN(std::vector<std::string> fields, ChooseFields(*wanted, answer));
  known_[wanted->model] = fields;
  co_return fields;
}

Task<absl::StatusOr<RecordMap>> RecordSource::ReadFields(const ModelFields* wanted,
                                                         std::vector<std::int64_t> ids,
                                                         std::vector<std::string> fields) {
  Call call = ReadCall(wanted->model, ids, fields);
  CO_ASSIGN_OR_RETURN(json::value answer, co_await caller_.Execute(std::move(call)));
  CO_ASSIGN_OR_RETURN(std::vector<json::object> records, TakeRecords(std::move(answer)));
  co_return IndexRecords(std::move(records), ids);
}

Task<absl::StatusOr<RecordMap>> RecordSource::Read(const ModelFields* wanted,
                                                   std::vector<std::int64_t> ids) {
  if (ids.empty()) co_return RecordMap();
  CO_ASSIGN_OR_RETURN(std::vector<std::string> fields, co_await Fields(wanted));
  absl::StatusOr<RecordMap> records = co_await ReadFields(wanted, ids, fields);
  if (records.ok() || ErrorKindOf(records.status()) != ErrorKind::kQuery) co_return records;
  known_.erase(wanted->model);
  CO_ASSIGN_OR_RETURN(std::vector<std::string> fresh, co_await Fields(wanted));
  if (fresh == fields) co_return records;  // the fields are not what it complains about
  co_return co_await ReadFields(wanted, std::move(ids), std::move(fresh));
}

}  // namespace poller::odoo
