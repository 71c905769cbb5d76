#include "tests/support/odoo_faults.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "tests/support/odoo_error.h"

namespace poller::test {
namespace {

using Kind = OdooFault::Kind;

constexpr std::pair<std::string_view, Kind> kNames[] = {
    {"status", Kind::kStatus},
    {"hang", Kind::kHang},
    {"reset", Kind::kReset},
    {"access-denied", Kind::kAccessDenied},
    {"postgres-down", Kind::kPostgresDown},
    {"error", Kind::kError},
    {"slow", Kind::kSlow},
    {"drip", Kind::kDrip},
    {"huge", Kind::kHuge},
    {"truncated", Kind::kTruncated},
    {"cut", Kind::kCut},
    {"invalid-utf8", Kind::kInvalidUtf8},
    {"wrong-content-type", Kind::kWrongContentType},
    {"no-date", Kind::kNoDate},
    {"gzip", Kind::kGzip},
    {"chunked", Kind::kChunked},
};

bool Hits(const std::string& wanted, std::string_view actual) {
  return wanted.empty() || wanted == actual;
}

void Bend(const OdooFault& fault, TestReply& reply) {
  switch (fault.kind) {
    case Kind::kSlow:
      reply.delay += fault.delay;
      break;
    case Kind::kDrip:
      reply.drip_bytes = static_cast<std::size_t>(fault.bytes);
      reply.drip_every = fault.delay;
      break;
    case Kind::kHuge:
      reply.filler = fault.bytes;
      break;
    case Kind::kTruncated:
      reply.body.resize(reply.body.size() / 2);
      break;
    case Kind::kCut:
      // Behind the head, which is shorter than that, and before the end of any answer with a body
      // worth cutting.
      reply.ending = Ending::kClose;
      reply.cut_after = 200 + reply.body.size() / 2;
      break;
    case Kind::kInvalidUtf8:
      if (const std::size_t quote = reply.body.rfind('"'); quote != std::string::npos) {
        reply.body.insert(quote, "\xff");
      }
      break;
    case Kind::kWrongContentType:
      reply.headers.Set("Content-Type", "text/html; charset=utf-8");
      break;
    case Kind::kNoDate:
      reply.send_date = false;
      break;
    case Kind::kGzip:
      reply.gzip = true;
      break;
    case Kind::kChunked:
      reply.chunked = true;
      break;
    default:
      break;
  }
}

}  // namespace

std::optional<Kind> FaultKindByName(std::string_view name) {
  for (const auto& [known, kind] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

int FaultBoard::Add(OdooFault fault) {
  const std::lock_guard lock(mu_);
  faults_[next_] = std::move(fault);
  return next_++;
}

void FaultBoard::Remove(int id) {
  const std::lock_guard lock(mu_);
  faults_.erase(id);
}

void FaultBoard::Clear(std::string_view db) {
  const std::lock_guard lock(mu_);
  std::erase_if(faults_, [&](const auto& entry) { return db.empty() || entry.second.db == db; });
}

std::vector<OdooFault> FaultBoard::Take(std::string_view db, std::string_view model,
                                        std::string_view method) {
  const std::lock_guard lock(mu_);
  std::vector<OdooFault> taken;
  for (auto& [id, fault] : faults_) {
    if (fault.times == 0 || !Hits(fault.db, db) || !Hits(fault.model, model) ||
        !Hits(fault.method, method)) {
      continue;
    }
    if (fault.times > 0) --fault.times;
    taken.push_back(fault);
  }
  std::erase_if(faults_, [](const auto& entry) { return entry.second.times == 0; });
  return taken;
}

std::optional<TestReply> ReplyInstead(const std::vector<OdooFault>& faults) {
  for (const OdooFault& fault : faults) {
    if (fault.kind == Kind::kHang) return HangReply();
    if (fault.kind == Kind::kReset) return ResetReply();
    if (fault.kind == Kind::kStatus) {
      TestReply reply = HtmlReply(fault.status, std::to_string(fault.status) + " " +
                                                    std::string(ReasonPhrase(fault.status)));
      if (fault.retry_after.has_value()) {
        reply.headers.Add("Retry-After", std::to_string(absl::ToInt64Seconds(*fault.retry_after)));
      }
      return reply;
    }
  }
  return std::nullopt;
}

void RaiseFaults(const std::vector<OdooFault>& faults) {
  for (const OdooFault& fault : faults) {
    if (fault.kind == Kind::kAccessDenied) {
      throw OdooError("odoo.exceptions.AccessDenied", "Access Denied");
    }
    if (fault.kind == Kind::kPostgresDown) {
      throw OdooError(
          "psycopg2.OperationalError",
          "connection to server at \"127.0.0.1\", port 5432 failed: Connection refused\n\tIs the "
          "server running on that host and accepting TCP/IP connections?\n");
    }
    if (fault.kind == Kind::kError) throw OdooError(fault.name, fault.message);
  }
}

void BendReply(const std::vector<OdooFault>& faults, TestReply& reply) {
  for (const OdooFault& fault : faults) Bend(fault, reply);
}

TestReply HtmlReply(int status, std::string title) {
  TestReply reply;
  reply.status = status;
  reply.headers.Add("Content-Type", "text/html; charset=utf-8");
  reply.body =
      "<!doctype html>\n<html lang=en>\n<title>" + title + "</title>\n<h1>" + title + "</h1>\n";
  return reply;
}

}  // namespace poller::test
