#include "server/rpc/convert_sync_log.h"

#include "server/rpc/convert_common.h"

namespace poller::rpc {
namespace {

namespace v1 = odoopoller::v1;

v1::SyncKind KindOf(const std::string& kind) {
  if (kind == "poll") return v1::SYNC_KIND_POLL;
  if (kind == "start") return v1::SYNC_KIND_START;
  if (kind == "lines") return v1::SYNC_KIND_LINES;
  if (kind == "resend") return v1::SYNC_KIND_RESEND;
  if (kind == "sweep") return v1::SYNC_KIND_SWEEP;
  if (kind == "backfill") return v1::SYNC_KIND_BACKFILL;
  if (kind == "reconcile") return v1::SYNC_KIND_RECONCILE;
  return v1::SYNC_KIND_UNSPECIFIED;
}

v1::TestResult ToProto(TestStep::Result result) {
  switch (result) {
    case TestStep::Result::kOk:
      return v1::TEST_RESULT_OK;
    case TestStep::Result::kFailed:
      return v1::TEST_RESULT_FAILED;
    case TestStep::Result::kSkipped:
      return v1::TEST_RESULT_SKIPPED;
  }
  return v1::TEST_RESULT_UNSPECIFIED;
}

}  // namespace

v1::SyncLog ToProto(const SyncLog& log) {
  v1::SyncLog proto;
  proto.set_id(log.id.value());
  proto.set_connection_id(log.connection.value());
  proto.set_connection_name(log.connection_name);
  proto.set_kind(KindOf(log.kind));
  SetTime(proto, &v1::SyncLog::mutable_start_time, log.started_at);
  *proto.mutable_duration() = rpc::ToProto(log.duration);
  proto.mutable_counts()->set_listed(log.listed);
  proto.mutable_counts()->set_recorded(log.recorded);
  proto.mutable_counts()->set_unchanged(log.unchanged);
  proto.mutable_counts()->set_dead(log.dead);
  proto.set_error(log.error);
  return proto;
}

v1::SyncCounts CountsOf(const PassResult& pass) {
  v1::SyncCounts proto;
  proto.set_listed(pass.listed);
  proto.set_recorded(pass.recorded);
  proto.set_unchanged(pass.unchanged);
  proto.set_dead(pass.dead);
  return proto;
}

v1::TestStep ToProto(const TestStep& step) {
  v1::TestStep proto;
  proto.set_name(step.name);
  proto.set_result(ToProto(step.result));
  *proto.mutable_duration() = rpc::ToProto(step.duration);
  proto.set_detail(step.detail);
  proto.set_hint(step.hint);
  return proto;
}

}  // namespace poller::rpc
