// One act inside one transaction of SimDatabase: reads what the transaction sees, stamps what it
// writes.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/support/odoo_database.h"

namespace poller::test {

class SimDatabase::Work {
 public:
  Work(Store& store, Overlay& overlay, std::uint64_t tx, absl::Time now)
      : store_(store), overlay_(overlay), tx_(tx), now_(now), view_(store, &overlay) {}

  const Schema& schema() const { return store_.schema(); }
  const StoreView& view() const { return view_; }
  absl::Time now() const {
    return now_;
  }  // the statement's time; the transaction's is the overlay's start
  const ModelDef& orders() const { return schema().At("sale.order"); }
  const ModelDef& lines() const { return schema().At("sale.order.line"); }

  absl::StatusOr<Record> Get(const ModelDef& model, RecordId id) const;
  static void Set(const ModelDef& model, Record& record, std::string_view field, FieldValue value) {
    record.values[static_cast<std::size_t>(model.At(field).index)] = std::move(value);
  }
  static void SetAll(const ModelDef& model, Record& record, const boost::json::object& values);
  // "" becomes empty, 0 as a reference too.
  static FieldValue TextOrEmpty(const std::string& text) {
    return text.empty() ? FieldValue() : FieldValue(text);
  }
  static FieldValue RefOrEmpty(RecordId id) { return id == 0 ? FieldValue() : FieldValue(id); }

  Record New(const ModelDef& model);
  // Stamps write_date and writes.
  absl::Status Put(const ModelDef& model, Record record);
  absl::Status Delete(const ModelDef& model, RecordId id) {
    return store_.Delete(tx_, overlay_, model, id);
  }

  // A record that must be there.
  RecordId Need(std::string_view model, RecordId id) const;
  // The record of that name, made if there is none.
  RecordId Named(std::string_view model, const std::string& name,
                 const boost::json::object& more = {});

  absl::StatusOr<RecordId> MakeLine(RecordId order, const LineSpec& spec);
  void ComputeLine(Record& line) const;
  enum class Move { kAlways, kIfTotalsChange };
  // Sums the lines up again and moves the order where Odoo does.
  absl::Status Recompute(RecordId order, Move move);
  absl::Status SetState(RecordId order, const std::string& state);
  absl::Status WriteFields(const ModelDef& model, RecordId id, const boost::json::object& values);

 private:
  double Round(double amount, RecordId currency) const;

  Store& store_;
  Overlay& overlay_;
  std::uint64_t tx_;
  absl::Time now_;
  StoreView view_;
};

}  // namespace poller::test
