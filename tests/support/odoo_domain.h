// Search domains: `['|', ['state', '=', 'sale'], ['order_line.write_date', '>=', '2026-01-15
// 00:00:00']]`.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <string_view>

#include "tests/support/odoo_schema.h"
#include "tests/support/odoo_store.h"

namespace poller::test {

// A domain made ready for one model. Holds references to the schema.
class Domain {
 public:
  struct Node;

  // Throws OdooError as the version of `schema` would: unknown field, unknown operator, a date it
  // does not read. `now` is the database's time, for words such as "today".
  static Domain Parse(const Schema& schema, const ModelDef& model, const boost::json::value& domain,
                      absl::Time now);
  Domain(Domain&&) noexcept;
  Domain& operator=(Domain&&) noexcept;
  ~Domain();

  bool Matches(const StoreView& view, const Record& record) const;
  // A leaf names this field itself (not one behind a dot).
  bool Mentions(std::string_view field) const;

 private:
  explicit Domain(std::unique_ptr<Node> root);
  std::unique_ptr<Node> root_;
};

}  // namespace poller::test
