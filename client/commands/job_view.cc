#include "client/commands/job_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/commands/connection_view.h"
#include "client/convert.h"
#include "client/output/text.h"
#include "core/base/text.h"

namespace poller::client {
namespace {

// The enum's name without its prefix, as people type it.
std::string Word(std::string name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return "unknown";
  name.erase(0, prefix.size());
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

std::string WaitText(const std::string& word) {
  if (word == "backlog") return "waits until fewer orders wait for delivery";
  if (word == "odoo") return "waits for Odoo, which does not answer as it should";
  if (word == "suspended") return "waits: the shop is suspended, pollerctl show tells why";
  if (word == "start") return "waits for the shop's first poll";
  if (word == "paused") return "waits: polling is paused";
  if (word == "disk") return "waits: the server's disk is nearly full";
  return "waits: " + Printable(word);
}

}  // namespace

std::string DifferenceText(const std::string& what) {
  if (what == "missing") return "missing: in Odoo, never recorded here";
  if (what == "differs") return "differs: Odoo has another content";
  if (what == "undelivered") return "undelivered: recorded, the receiver does not have it";
  if (what == "gone") return "gone: delivered, no longer confirmed in Odoo";
  if (what == "unreadable") return "unreadable: cannot be read or mapped";
  if (what == "changing") return "changing: changed each time it was read, so not compared";
  return what;
}

std::string KindName(api::JobKind kind) { return Word(api::JobKind_Name(kind), "JOB_KIND_"); }

std::string StateName(api::JobState state) { return Word(api::JobState_Name(state), "JOB_STATE_"); }

Cell StateCell(const api::Job& job) {
  std::string word = StateName(job.state());
  switch (job.state()) {
    case api::JOB_STATE_SUCCEEDED:
      return {std::move(word), Colour::kGood};
    case api::JOB_STATE_FAILED:
      return {std::move(word), Colour::kBad};
    case api::JOB_STATE_CANCELLED:
      return {std::move(word), Colour::kWarn};
    default:
      return {job.progress().waits_for().empty() ? std::move(word) : "waiting", Colour::kNone};
  }
}

bool IsOver(const api::Job& job) {
  return job.state() == api::JOB_STATE_SUCCEEDED || job.state() == api::JOB_STATE_FAILED ||
         job.state() == api::JOB_STATE_CANCELLED;
}

std::string Named(const api::Job& job) {
  return fmt::format("{} {}", KindName(job.kind()), job.id());
}

std::string ProgressText(const api::Job& job) {
  const api::JobProgress& progress = job.progress();
  std::string text = progress.has_total_count()
                         ? fmt::format("{} of {} orders", progress.done_count(),
                                       std::max(progress.total_count(), progress.done_count()))
                         : fmt::format("{} orders", progress.done_count());
  if (job.kind() == api::JOB_KIND_RECONCILE)
    text += fmt::format(", {} differ", progress.difference_count());
  if (job.kind() == api::JOB_KIND_BACKFILL || job.repair())
    text += fmt::format(", {} enqueued", progress.enqueued_count());
  text += fmt::format(", {} unchanged", progress.unchanged_count());
  if (progress.baseline_count() > 0)
    text += fmt::format(", {} from before the start", progress.baseline_count());
  if (progress.dead_count() > 0) text += fmt::format(", {} dead", progress.dead_count());
  if (!IsOver(job) && !progress.waits_for().empty()) text += ", " + WaitText(progress.waits_for());
  return text;
}

std::string RangeText(const api::Job& job) {
  std::string text = job.last_n() > 0 ? fmt::format("the newest {} orders", job.last_n())
                     : job.has_since_time() || job.has_until_time() ? "orders dated"
                                                                    : "all orders";
  if (job.has_since_time()) text += " from " + poller::FormatTime(ToTime(job.since_time()));
  if (job.has_until_time()) text += " to before " + poller::FormatTime(ToTime(job.until_time()));
  return text;
}

void PrintJobs(Session& session, const google::protobuf::RepeatedPtrField<api::Job>& jobs) {
  Table table({{"JOB", true, false},
               {"KIND"},
               {"SHOP", false, true},
               {"STATE"},
               {"MADE"},
               {"PROGRESS", false, true, true}});
  for (const api::Job& job : jobs) {
    table.Add({std::to_string(job.id()), KindName(job.kind()), job.connection_name(),
               StateCell(job), Ago(session, job.create_time()), ProgressText(job)});
  }
  table.Print(session.io().out, session.look());
}

void PrintDifferences(Session& session, const api::JobProgress& progress) {
  if (progress.differences().empty()) return;
  std::ostream& out = session.io().out;
  out << '\n';
  Table table({{"ORDER", false, true}, {"ODOO ID", true, false}, {"DIFFERENCE", false, true}});
  for (const api::JobDifference& difference : progress.differences()) {
    table.Add({difference.order_name(), std::to_string(difference.order_id()),
               DifferenceText(difference.what())});
  }
  table.Print(out, session.look());
  const std::int64_t more = progress.difference_count() - progress.differences_size();
  if (more > 0) session.Note(fmt::format("and {} more", more));
}

void PrintJob(Session& session, const api::Job& job) {
  Fields fields;
  fields.Add("Job", Named(job) + (job.repair() ? ", with repair" : ""));
  fields.Add("Shop", fmt::format("{} ({})", job.connection_name(), job.connection_id()));
  fields.Add("Range", RangeText(job));
  fields.Add("State", StateCell(job));
  fields.Add("Progress", ProgressText(job));
  if (!job.error().empty()) fields.Add("Error", {job.error(), Colour::kBad});
  fields.Add("Asked by", job.actor());
  fields.Add("Made", Ago(session, job.create_time()));
  if (job.has_finish_time()) fields.Add("Ended", Ago(session, job.finish_time()));
  fields.Print(session.io().out, session.look());
  PrintDifferences(session, job.progress());
}

}  // namespace poller::client
