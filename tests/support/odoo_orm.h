// What Odoo's ORM does for a remote reader: search, read, nested read, with rights and record rules
// applied.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/odoo_database.h"

namespace poller::test {

// One call of one user on one state of one database. Methods throw OdooError.
class OdooOrm {
 public:
  // All references outlive this.
  OdooOrm(const StoreView& view, const SimDatabase::Faults& faults, const SimUser& user,
          const boost::json::object& context, absl::Time now);

  // `domain` null or an array; `order` "" for the model's own; `limit` 0 for none.
  std::vector<RecordId> Search(const ModelDef& model, const boost::json::value& domain,
                               std::int64_t offset, std::int64_t limit, std::string_view order);
  // `fields` null or empty: all. `names`: many2one as [id, display_name]. Ids that do not exist are
  // left out.
  boost::json::array Read(const ModelDef& model, const std::vector<RecordId>& ids,
                          const boost::json::value& fields, bool names);
  boost::json::array WebRead(const ModelDef& model, const std::vector<RecordId>& ids,
                             const boost::json::object& specification);
  boost::json::object FieldsGet(const ModelDef& model, const boost::json::value& names,
                                const boost::json::value& attributes) const;
  bool MayRead(const ModelDef& model) const;
  // Of the groups of Sales alone.
  bool HasGroup(std::string_view external_id) const;
  void CheckMayRead(const ModelDef& model) const;
  // MissingError if one of them does not exist.
  void CheckExist(const ModelDef& model, const std::vector<RecordId>& ids) const;

  // What the records met on the way do to the answer.
  absl::Duration delay() const { return delay_; }
  bool hangs() const { return hangs_; }

 private:
  struct SortKey {
    const FieldDef* field;
    bool descending;
  };
  std::vector<SortKey> ParseOrder(const ModelDef& model, std::string_view order) const;
  int Compare(const ModelDef& model, const std::vector<SortKey>& keys, const Record& a,
              const Record& b) const;
  int CompareField(const ModelDef& model, const FieldDef& field, const Record& a,
                   const Record& b) const;
  const FieldDef& NeedField(const ModelDef& model, std::string_view name) const;
  // Record rules: companies, own documents.
  bool Visible(const ModelDef& model, const Record& record) const;
  bool Has(RecordFault::Kind kind, const ModelDef& model, RecordId id) const;
  boost::json::value OnlyVisible(const FieldDef& field, boost::json::value ids) const;
  void MeetRecord(const ModelDef& model, const Record& record, bool light);
  [[noreturn]] void Refuse(const ModelDef& model) const;

  const StoreView& view_;
  const SimDatabase::Faults& faults_;
  const SimUser& user_;
  const boost::json::object& context_;
  absl::Time now_;
  std::vector<RecordId> companies_;
  absl::Duration delay_;
  bool hangs_ = false;
};

}  // namespace poller::test
