// The database under the simulated Odoo: rows by model, transactions that see their own changes,
// and commits that become visible all at once. Not synchronised: SimDatabase holds the lock.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/support/odoo_schema.h"

namespace poller::test {

struct Record {
  RecordId id = 0;
  std::vector<FieldValue> values;  // by FieldDef::index
};
using RecordPtr = std::shared_ptr<const Record>;

struct RowKey {
  int model = 0;
  RecordId id = 0;
  friend auto operator<=>(const RowKey&, const RowKey&) = default;
};

// An open transaction.
struct Overlay {
  absl::Time start;  // PostgreSQL's now(): the write_date of all it writes, whole microseconds
  std::uint64_t snapshot = 0;           // commits it sees
  std::map<RowKey, RecordPtr> changes;  // null: deleted
};

class Store {
 public:
  explicit Store(const Schema& schema);

  const Schema& schema() const { return schema_; }
  RecordId NextId(const ModelDef& model);
  // Keeps later NextId above `id`.
  void ReserveId(const ModelDef& model, RecordId id);

  Overlay Begin(absl::Time start) const;
  // kAborted: another open transaction holds the row, or it was committed after this one began,
  // where a real Odoo would wait or run the request again.
  absl::Status Put(std::uint64_t tx, Overlay& overlay, const ModelDef& model, Record record);
  absl::Status Delete(std::uint64_t tx, Overlay& overlay, const ModelDef& model, RecordId id);
  void Commit(std::uint64_t tx, const Overlay& overlay);
  void Rollback(std::uint64_t tx);

  const std::map<RecordId, RecordPtr>& Rows(const ModelDef& model) const {
    return tables_[static_cast<std::size_t>(model.number)].rows;
  }
  const std::vector<RecordId>& Children(const ModelDef& child, const FieldDef& inverse,
                                        RecordId parent) const;

 private:
  struct Table {
    std::map<RecordId, RecordPtr> rows;
    // one2many: index of the many2one field -> parent -> children.
    std::map<int, absl::flat_hash_map<RecordId, std::vector<RecordId>>> children;
    RecordId next_id = 1;
  };
  absl::Status Lock(std::uint64_t tx, const Overlay& overlay, RowKey key);
  void Index(Table& table, const Record* before, const Record* after);

  const Schema& schema_;
  std::vector<Table> tables_;
  std::uint64_t commits_ = 0;
  std::map<RowKey, std::uint64_t> last_commit_;
  std::map<RowKey, std::uint64_t> locks_;  // row -> transaction
};

// What one reader sees: the committed rows, and those of its own transaction where it has one.
class StoreView {
 public:
  explicit StoreView(const Store& store, const Overlay* overlay = nullptr)
      : store_(store), overlay_(overlay) {}

  const Schema& schema() const { return store_.schema(); }
  const Store& store() const { return store_; }
  // Null if there is none.
  const Record* Find(const ModelDef& model, RecordId id) const;
  FieldValue Value(const ModelDef& model, const Record& record, const FieldDef& field) const;
  FieldValue Value(const ModelDef& model, const Record& record, std::string_view field) const {
    return Value(model, record, model.At(field));
  }
  // "" where empty.
  std::string Text(const ModelDef& model, const Record& record, std::string_view field) const;
  // 0 where empty.
  RecordId Ref(const ModelDef& model, const Record& record, std::string_view field) const;
  double Number(const ModelDef& model, const Record& record, std::string_view field) const;
  std::string DisplayName(const ModelDef& model, RecordId id) const;
  // Ids of `child` whose many2one `inverse` is `parent`, in the order of `child`.
  std::vector<RecordId> Children(const ModelDef& child, const FieldDef& inverse,
                                 RecordId parent) const;

 private:
  const Store& store_;
  const Overlay* overlay_;
};

}  // namespace poller::test
