#include "tests/support/odoo_store.h"

#include <algorithm>
#include <cassert>
#include <tuple>

namespace poller::test {

Store::Store(const Schema& schema) : schema_(schema), tables_(schema.models().size()) {
  for (const ModelDef& model : schema.models()) {
    for (const FieldDef& field : model.fields) {
      if (field.type != FieldType::kOne2many) continue;
      const ModelDef& child = schema.At(field.relation);
      tables_[static_cast<std::size_t>(child.number)].children[child.At(field.inverse).index];
    }
  }
}

RecordId Store::NextId(const ModelDef& model) {
  return tables_[static_cast<std::size_t>(model.number)].next_id++;
}

void Store::ReserveId(const ModelDef& model, RecordId id) {
  RecordId& next = tables_[static_cast<std::size_t>(model.number)].next_id;
  next = std::max(next, id + 1);
}

Overlay Store::Begin(absl::Time start) const {
  return {absl::FromUnixMicros(absl::ToUnixMicros(start)), commits_, {}};
}

absl::Status Store::Lock(std::uint64_t tx, const Overlay& overlay, RowKey key) {
  const auto [held, fresh] = locks_.try_emplace(key, tx);
  if (!fresh && held->second != tx)
    return absl::AbortedError("row is locked by another transaction");
  const auto commit = last_commit_.find(key);
  if (commit != last_commit_.end() && commit->second > overlay.snapshot) {
    if (fresh) locks_.erase(held);
    return absl::AbortedError("could not serialize access due to concurrent update");
  }
  return absl::OkStatus();
}

absl::Status Store::Put(std::uint64_t tx, Overlay& overlay, const ModelDef& model, Record record) {
  const RowKey key{model.number, record.id};
  if (absl::Status locked = Lock(tx, overlay, key); !locked.ok()) return locked;
  overlay.changes[key] = std::make_shared<const Record>(std::move(record));
  return absl::OkStatus();
}

absl::Status Store::Delete(std::uint64_t tx, Overlay& overlay, const ModelDef& model, RecordId id) {
  const RowKey key{model.number, id};
  if (absl::Status locked = Lock(tx, overlay, key); !locked.ok()) return locked;
  overlay.changes[key] = nullptr;
  return absl::OkStatus();
}

void Store::Index(Table& table, const Record* before, const Record* after) {
  for (auto& [field, by_parent] : table.children) {
    const auto parent_of = [index = static_cast<std::size_t>(field)](const Record* record) {
      const auto* id =
          record == nullptr ? nullptr : std::get_if<std::int64_t>(&record->values[index]);
      return id == nullptr ? RecordId{0} : *id;
    };
    const RecordId old_parent = parent_of(before);
    const RecordId new_parent = parent_of(after);
    if (old_parent == new_parent) continue;
    if (old_parent != 0) {
      std::erase(by_parent[old_parent], before->id);
      if (by_parent[old_parent].empty()) by_parent.erase(old_parent);
    }
    if (new_parent != 0) by_parent[new_parent].push_back(after->id);
  }
}

void Store::Commit(std::uint64_t tx, const Overlay& overlay) {
  ++commits_;
  for (const auto& [key, record] : overlay.changes) {
    Table& table = tables_[static_cast<std::size_t>(key.model)];
    const auto old = table.rows.find(key.id);
    const RecordPtr before = old == table.rows.end() ? nullptr : old->second;
    Index(table, before.get(), record.get());
    if (record == nullptr) {
      table.rows.erase(key.id);
    } else {
      table.rows[key.id] = record;
    }
    last_commit_[key] = commits_;
  }
  Rollback(tx);
}

void Store::Rollback(std::uint64_t tx) {
  std::erase_if(locks_, [tx](const auto& lock) { return lock.second == tx; });
}

const std::vector<RecordId>& Store::Children(const ModelDef& child, const FieldDef& inverse,
                                             RecordId parent) const {
  static const std::vector<RecordId> kNone;
  const Table& table = tables_[static_cast<std::size_t>(child.number)];
  const auto& by_parent = table.children.at(inverse.index);
  const auto found = by_parent.find(parent);
  return found == by_parent.end() ? kNone : found->second;
}

const Record* StoreView::Find(const ModelDef& model, RecordId id) const {
  if (overlay_ != nullptr) {
    const auto changed = overlay_->changes.find({model.number, id});
    if (changed != overlay_->changes.end()) return changed->second.get();
  }
  const auto& rows = store_.Rows(model);
  const auto found = rows.find(id);
  return found == rows.end() ? nullptr : found->second.get();
}

FieldValue StoreView::Value(const ModelDef& model, const Record& record,
                            const FieldDef& field) const {
  if (field.type == FieldType::kOne2many) {
    const ModelDef& child = schema().At(field.relation);
    return Children(child, child.At(field.inverse), record.id);
  }
  if (field.compute != nullptr) return field.compute(*this, model, record);
  return record.values[static_cast<std::size_t>(field.index)];
}

std::string StoreView::Text(const ModelDef& model, const Record& record,
                            std::string_view field) const {
  const FieldValue value = Value(model, record, field);
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? "" : *text;
}

RecordId StoreView::Ref(const ModelDef& model, const Record& record, std::string_view field) const {
  const FieldValue value = Value(model, record, field);
  const auto* id = std::get_if<std::int64_t>(&value);
  return id == nullptr ? 0 : *id;
}

double StoreView::Number(const ModelDef& model, const Record& record,
                         std::string_view field) const {
  const FieldValue value = Value(model, record, field);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  return 0;
}

std::string StoreView::DisplayName(const ModelDef& model, RecordId id) const {
  const Record* record = Find(model, id);
  return record == nullptr ? "" : Text(model, *record, "display_name");
}

std::vector<RecordId> StoreView::Children(const ModelDef& child, const FieldDef& inverse,
                                          RecordId parent) const {
  std::vector<RecordId> ids = store_.Children(child, inverse, parent);
  if (overlay_ != nullptr) {
    for (auto change = overlay_->changes.lower_bound({child.number, 0});
         change != overlay_->changes.end() && change->first.model == child.number; ++change) {
      std::erase(ids, change->first.id);
      if (change->second == nullptr) continue;
      const auto* id = std::get_if<std::int64_t>(
          &change->second->values[static_cast<std::size_t>(inverse.index)]);
      if (id != nullptr && *id == parent) ids.push_back(change->first.id);
    }
  }
  const FieldDef* sequence = child.Find("sequence");
  std::sort(ids.begin(), ids.end(), [&](RecordId a, RecordId b) {
    if (sequence == nullptr) return a < b;
    return std::tuple(Number(child, *Find(child, a), "sequence"), a) <
           std::tuple(Number(child, *Find(child, b), "sequence"), b);
  });
  return ids;
}

}  // namespace poller::test
