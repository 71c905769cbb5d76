#include "core/polling/order_ingest.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "core/async/offload.h"
#include "core/base/status.h"
#include "core/polling/pass_verdict.h"

namespace poller {
namespace {

constexpr int kCommitTries = 3;
// What a pass remembers of what it compared.
constexpr std::size_t kMaxCompared = 20000;
// What a user must be allowed to read (DESIGN "rights").
constexpr const char* kModels[] = {"sale.order", "sale.order.line", "res.partner",
                                   "product.product"};

std::vector<OrderId> IdsOf(const std::vector<WantedOrder>& wanted) {
  std::vector<OrderId> ids;
  ids.reserve(wanted.size());
  for (const WantedOrder& order : wanted) ids.push_back(order.id);
  return ids;
}

bool IsEmpty(const IngestBatch& batch) {
  return batch.orders.empty() && batch.unmappable.empty() && batch.cancelled.empty() &&
         !batch.mark.has_value() && !batch.line_mark.has_value() && !batch.sweep_mark.has_value() &&
         !batch.started.has_value() && !batch.log.has_value();
}

}  // namespace

OrderIngest::OrderIngest(const IngestDeps& deps, const PollingOptions& options,
                         IngestSubject subject, Manner manner)
    : deps_(deps),
      options_(options),
      subject_(std::move(subject)),
      manner_(std::move(manner)),
      started_(state().started),
      batch_size_(static_cast<std::size_t>(options.batch_size)),
      began_(deps.clock.Read()) {
  const absl::Duration own = connection().settings.overlap;
  window_.overlap = own == absl::ZeroDuration() ? options.overlap : own;
  window_.young = options.young;
}

Task<absl::StatusOr<OrderIngest::Step>> OrderIngest::Begin() {
  Step step;
  // In this order: whoever waits for the turn behind the polls of others does not hold up the polls
  // of its own connection.
  step.turn = co_await subject_.turn->Acquire(manner_.priority);
  step.lane = co_await subject_.lane->Acquire(manner_.priority);
  CO_RETURN_IF_ERROR(GoesOn());
  if (deps_.Full() && manner_.mode != IngestMode::kResend) co_return HeldError();
  co_return std::move(step);
}

absl::Status OrderIngest::GoesOn() const {
  if (deps_.stopping()) return StoppingError();
  return subject_.go_on ? subject_.go_on() : absl::OkStatus();
}

void OrderIngest::BeginPart(LanePriority priority) {
  manner_.priority = priority;
  began_ = deps_.clock.Read();
  result_ = PassResult();
  undecided_.clear();
  torn_.clear();
  outdated_.clear();
}

std::optional<absl::Time> OrderIngest::Credible(std::optional<absl::Time> date) const {
  return CredibleDate(date, state().mark, deps_.clock.Now());
}

Task<absl::StatusOr<std::vector<OrderHead>>> OrderIngest::Heads(std::vector<OrderId> orders) {
  auto work = [&ingest = deps_.ingest, id = connection().id, orders = std::move(orders)] {
    return ingest.Heads(id, orders);
  };
  co_return co_await Offload(deps_.storage_pool, std::move(work));
}

Task<absl::StatusOr<std::vector<OrderHead>>> OrderIngest::OpenOrders(std::string written_since,
                                                                     OrderId after, int limit) {
  auto work = [&ingest = deps_.ingest, id = connection().id, since = std::move(written_since),
               after, limit] { return ingest.OpenOrders(id, since, after, limit); };
  co_return co_await Offload(deps_.storage_pool, std::move(work));
}

IngestBatch OrderIngest::NewBatch() const {
  IngestBatch batch;
  batch.connection = connection().id;
  batch.expected_version = connection().version;
  batch.mode = manner_.mode;
  batch.priority = manner_.delivery_class;
  batch.send_cancelled = connection().settings.send_cancelled;
  batch.send_every_touch = connection().settings.send_every_touch;
  batch.observed_at = window_.date.value_or(absl::InfinitePast());
  batch.overlap = window_.overlap;
  batch.late_find = late_;
  batch.actor = manner_.actor;
  return batch;
}

Task<absl::Status> OrderIngest::Commit(IngestBatch batch) {
  if (manner_.dry_run || IsEmpty(batch)) co_return absl::OkStatus();
  const ConnectionId id = batch.connection;
  const bool late = batch.late_find;
  auto work = [&deps = deps_, batch = std::move(batch)]() -> absl::StatusOr<IngestResult> {
    absl::StatusOr<IngestResult> result;
    for (int i = 0; i < kCommitTries; ++i) {
      result = deps.ingest.Commit(batch, deps.clock.Now());
      if (!absl::IsAborted(result.status())) break;
    }
    if (absl::IsFailedPrecondition(result.status())) return SettingsChangedError();
    return result;
  };
  CO_ASSIGN_OR_RETURN(const IngestResult done,
                      co_await Offload(deps_.storage_pool, std::move(work)));
  requeued_ += done.requeued;
  result_.recorded += done.recorded;
  result_.unchanged += done.unchanged;
  result_.dead += done.dead;
  result_.cancelled += done.cancelled;
  if (late) result_.late += done.recorded + done.dead + done.cancelled;
  const bool news = done.released || done.recorded + done.requeued + done.cancelled > 0;
  if (deps_.committed && news) deps_.committed(id);
  co_return absl::OkStatus();
}

Task<absl::Status> OrderIngest::Conclude(IngestBatch last, std::string kind) {
  result_.duration = deps_.clock.Monotonic() - began_.mono;
  if (result_.Found() > 0) {
    SyncLog log;
    log.connection = connection().id;
    log.connection_name = connection().settings.name;
    log.kind = std::move(kind);
    log.started_at = began_.wall;
    log.duration = result_.duration;
    log.listed = result_.listed;
    log.recorded = result_.recorded;
    log.unchanged = result_.unchanged;
    log.dead = result_.dead;
    last.log = std::move(log);
  }
  auto step = co_await Begin();
  CO_RETURN_IF_ERROR(step);
  co_return co_await Commit(std::move(last));
}

Task<absl::Status> OrderIngest::ReadAndCommit(std::vector<WantedOrder> wanted) {
  const auto in_time = std::stable_partition(wanted.begin(), wanted.end(),
                                             [](const WantedOrder& order) { return order.late; });
  Part late(std::make_move_iterator(wanted.begin()), std::make_move_iterator(in_time));
  wanted.erase(wanted.begin(), in_time);
  late_ = true;
  absl::Status end = co_await ReadAll(std::move(late));
  late_ = false;
  if (end.ok()) end = co_await ReadAll(std::move(wanted));
  co_return end;
}

Task<absl::Status> OrderIngest::ReadAll(Part wanted) {
  std::size_t next = 0;
  while (next < wanted.size()) {
    const std::size_t end = std::min(wanted.size(), next + batch_size_);
    Part batch(std::make_move_iterator(wanted.begin() + static_cast<std::ptrdiff_t>(next)),
               std::make_move_iterator(wanted.begin() + static_cast<std::ptrdiff_t>(end)));
    next = end;
    CO_RETURN_IF_ERROR(co_await ReadBatch(std::move(batch)));
  }
  co_return absl::OkStatus();
}

Task<absl::Status> OrderIngest::ReadBatch(Part batch) {
  Sizing sizing;
  std::deque<Part> parts;
  parts.push_back(std::move(batch));
  while (!parts.empty()) {
    Part part = std::move(parts.front());
    parts.pop_front();
    CO_RETURN_IF_ERROR(co_await ReadPart(std::move(part), parts, sizing));
  }
  if (sizing.too_much && !sizing.culprit) {
    // No order was to blame, so this Odoo is slow: the next batches need not fail to find that out
    // again.
    batch_size_ = std::max<std::size_t>(1, sizing.largest);
  } else {
    batch_size_ = std::min(static_cast<std::size_t>(options_.batch_size), batch_size_ * 2);
  }
  co_return absl::OkStatus();
}

Task<absl::Status> OrderIngest::ReadPart(Part part, std::deque<Part>& rest, Sizing& sizing) {
  auto step = co_await Begin();
  CO_RETURN_IF_ERROR(step);
  auto fetched = co_await client().ReadOrders(IdsOf(part));
  if (!fetched.ok()) {
    co_return co_await HandleFailure(fetched.status(), std::move(part), rest, sizing);
  }
  sizing.largest = std::max(sizing.largest, part.size());
  BuildInput input;
  input.window = window_;
  input.database = connection().settings.odoo.database;
  input.started = started_;
  input.read_at = Credible(fetched->date);
  BuiltBatch built = BuildBatch(input, part, *fetched);
  subject_.torn->GiveUp(part, *fetched, built);
  NoteUndecided(part, built);
  const std::int64_t repeated = NoteCompared(part, built);
  fetched = absl::UnknownError(
      "");  // the records are done with: they are the largest part of a pass's memory
  const absl::Status committed = co_await CommitRead(part, std::move(built), input.read_at);
  if (committed.ok()) result_.unchanged -= repeated;
  co_return committed;
}

// How many of these orders this pass has compared before and finds as it left them: a second look
// is not another order.
std::int64_t OrderIngest::NoteCompared(const Part& part, const BuiltBatch& built) {
  std::map<OrderId, const OrderHead*> heads;
  for (const WantedOrder& order : part) {
    if (order.head.has_value()) heads.emplace(order.id, &*order.head);
  }
  std::int64_t repeated = 0;
  for (const Observation& seen : built.orders) {
    const auto head = heads.find(seen.order);
    if (HasCompared(seen.order)) {
      const bool same = head != heads.end() && head->second->write_date == seen.write_date &&
                        head->second->content_hash == seen.content_hash &&
                        head->second->condition == OrderCondition::kConfirmed;
      if (same) ++repeated;
    } else if (compared_.size() < kMaxCompared) {
      compared_.insert(seen.order);
    }
  }
  return repeated;
}

void OrderIngest::NoteUndecided(const Part& part, const BuiltBatch& built) {
  undecided_.insert(undecided_.end(), built.vanished.begin(), built.vanished.end());
  undecided_.insert(undecided_.end(), built.torn.begin(), built.torn.end());
  torn_.insert(torn_.end(), built.torn.begin(), built.torn.end());
  // The store drops what is older than the head until it has stood for one overlap: a replica that
  // lags, or Odoo's clock was set back.
  std::map<OrderId, std::string> known;
  for (const WantedOrder& order : part) {
    if (order.head.has_value()) known.emplace(order.id, order.head->write_date);
  }
  for (const Observation& seen : built.orders) {
    const auto head = known.find(seen.order);
    if (head == known.end() || seen.write_date >= head->second) continue;
    undecided_.push_back(seen.order);
    outdated_.push_back(seen.order);
  }
}

Task<absl::Status> OrderIngest::CommitRead(const Part& part, BuiltBatch built,
                                           std::optional<absl::Time> read_at) {
  result_.deferred += static_cast<std::int64_t>(built.torn.size());
  for (const UnmappableOrder& dead : built.unmappable) {
    deps_.log.Warning("an order cannot be delivered", {{"connection", connection().id},
                                                       {"order", dead.order},
                                                       {"name", dead.name},
                                                       {"reason", dead.reason}});
  }
  if (manner_.name_orders) {
    for (const Observation& seen : built.orders) read_.emplace_back(seen.order, seen.name);
    for (const UnmappableOrder& dead : built.unmappable) read_.emplace_back(dead.order, dead.name);
  }
  if (!manner_.inspect) co_return co_await CommitBuilt(std::move(built), manner_.mode, read_at);
  std::vector<IngestPortion> portions = manner_.inspect(part, std::move(built));
  for (IngestPortion& portion : portions) {
    CO_RETURN_IF_ERROR(co_await CommitBuilt(std::move(portion.batch), portion.mode, read_at));
  }
  co_return absl::OkStatus();
}

Task<absl::Status> OrderIngest::CommitBuilt(BuiltBatch built, IngestMode mode,
                                            std::optional<absl::Time> read_at) {
  IngestBatch batch = NewBatch();
  batch.mode = mode;
  batch.observed_at = read_at.value_or(absl::InfinitePast());
  batch.orders = std::move(built.orders);
  batch.unmappable = std::move(built.unmappable);
  batch.cancelled = std::move(built.cancelled);
  co_return co_await Commit(std::move(batch));
}

Task<absl::Status> OrderIngest::HandleFailure(absl::Status failure, Part part,
                                              std::deque<Part>& rest, Sizing& sizing) {
  const auto kind = odoo::ErrorKindOf(failure);
  const bool too_much = kind == odoo::ErrorKind::kTooMuch;
  if (!too_much && kind != odoo::ErrorKind::kRecord) co_return failure;
  sizing.too_much = sizing.too_much || too_much;
  if (!too_much) CO_RETURN_IF_ERROR(co_await CheckRights());
  if (part.size() == 1) {
    sizing.culprit = true;
    co_return co_await BlameOrder(std::move(failure), *kind, std::move(part.front()));
  }
  const auto middle = part.begin() + static_cast<std::ptrdiff_t>(part.size() / 2);
  Part second(std::make_move_iterator(middle), std::make_move_iterator(part.end()));
  part.erase(middle, part.end());
  rest.push_front(std::move(second));
  rest.push_front(std::move(part));
  co_return absl::OkStatus();
}

// A user who lost a right sees every order refused: that is not the orders' fault, and must not
// kill them.
Task<absl::Status> OrderIngest::CheckRights() {
  if (rights_checked_) co_return absl::OkStatus();
  for (const char* model : kModels) CO_RETURN_IF_ERROR(co_await client().CheckReadable(model));
  rights_checked_ = true;
  co_return absl::OkStatus();
}

Task<absl::Status> OrderIngest::BlameOrder(absl::Status failure, odoo::ErrorKind kind,
                                           WantedOrder order) {
  if (kind == odoo::ErrorKind::kTooMuch) {
    // Only an Odoo that answers something small can say that it was this order.
    std::vector<OrderId> one{order.id};
    const auto small = co_await client().LookUp(std::move(one));
    const bool forbidden = odoo::ErrorKindOf(small.status()) == odoo::ErrorKind::kRecord;
    if (!small.ok() && !forbidden) co_return small.status();
    if (small.ok() && small->orders.empty()) {
      undecided_.push_back(order.id);
      co_return absl::OkStatus();
    }
    if (small.ok()) order.write_date = small->orders.front().write_date;
  }
  BuiltBatch built;
  built.unmappable.push_back(
      Unreadable(order, "Odoo cannot read this order: " + std::string(Message(failure))));
  Part part;
  part.push_back(std::move(order));
  co_return co_await CommitRead(part, std::move(built), window_.date);
}

}  // namespace poller
