// backfill, reconcile, jobs.
#include <string>

#include "tests/unit/client/client_fixture.h"

namespace poller::client {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Writer = grpc::ServerWriter<api::WatchJobResponse>;

class JobsTest : public ClientTest {
 protected:
  JobsTest() {
    server.jobs.script_StartBackfill.answer = [this](const api::StartBackfillRequest& request,
                                                     api::StartBackfillResponse& response) {
      if (request.validate_only()) {
        response.set_order_count(1234);
      } else {
        *response.mutable_job() = At(api::JOB_STATE_QUEUED, 0);
      }
      return grpc::Status::OK;
    };
    server.jobs.script_StartReconcile.answer = [this](const api::StartReconcileRequest& request,
                                                      api::StartReconcileResponse& response) {
      if (request.validate_only()) {
        response.set_order_count(3);
      } else {
        kind = api::JOB_KIND_RECONCILE;
        repair = request.repair();
        *response.mutable_job() = At(api::JOB_STATE_QUEUED, 0);
      }
      return grpc::Status::OK;
    };
  }

  api::Job At(api::JobState state, std::int64_t done) const {
    api::Job job;
    job.set_id(7);
    job.set_kind(kind);
    job.set_repair(repair);
    job.set_connection_id(1);
    job.set_connection_name("shop1");
    job.set_state(state);
    job.mutable_progress()->set_total_count(1234);
    job.mutable_progress()->set_done_count(done);
    return job;
  }
  static void Send(Writer& writer, const api::Job& job) {
    api::WatchJobResponse message;
    *message.mutable_job() = job;
    writer.Write(message);
  }
  auto SucceedingStream() {
    return [this](grpc::ServerContext&, Writer& writer) {
      Send(writer, At(api::JOB_STATE_RUNNING, 100));
      Send(writer, At(api::JOB_STATE_SUCCEEDED, 1234));
      return grpc::Status::OK;
    };
  }
  auto& started() { return server.jobs.script_StartBackfill.requests; }

  api::JobKind kind = api::JOB_KIND_BACKFILL;
  bool repair = false;
};

TEST_F(JobsTest, BackfillSaysHowManyThenStartsAndFollows) {
  server.jobs.streams.push_back(SucceedingStream());
  const Result result = Run({"backfill", "-c", "shop1", "--since", "2026-01-01", "-y"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, AllOf(HasSubstr("1234 orders"), HasSubstr("100 of 1234")));
  EXPECT_THAT(result.out, HasSubstr("backfill 7 succeeded: 1234 of 1234 orders"));
  ASSERT_EQ(started().size(), 2u);
  EXPECT_TRUE(started()[0].validate_only());
  EXPECT_FALSE(started()[1].validate_only());
  EXPECT_FALSE(started()[1].request_id().empty());
  EXPECT_EQ(started()[1].since_time().seconds(), 1'767'225'600);
  EXPECT_EQ(server.jobs.stream_requests.at(0).job_id(), 7);
}

TEST_F(JobsTest, AnAgeCountsBackFromNow) {
  EXPECT_EQ(Run({"backfill", "-c", "shop1", "--since", "7d", "--dry-run"}).code, 0);
  EXPECT_EQ(started().at(0).since_time().seconds(), 1'800'000'000 - 7 * 86'400);
}

TEST_F(JobsTest, DryRunStartsNothing) {
  const Result result = Run({"backfill", "-c", "shop1", "--since", "2026-01-01", "--dry-run"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("1234 orders"));
  EXPECT_EQ(started().size(), 1u);
}

TEST_F(JobsTest, APersonIsAskedBeforeHistoryIsDelivered) {
  terminal.can_ask = true;
  terminal.answers = {"n"};
  const Result result = Run({"backfill", "-c", "shop1", "--since", "2026-01-01"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("nothing was done"));
  EXPECT_EQ(started().size(), 1u);
}

TEST_F(JobsTest, WhereNobodyCanBeAskedWhatDeliversNeedsYes) {
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"backfill", "-c", "shop1", "--since", "7d"},
        std::vector<std::string>{"reconcile", "-c", "shop1", "--repair"}}) {
    const Result result = Run(verb);
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, AllOf(HasSubstr("--yes"), HasSubstr("--dry-run")));
  }
  EXPECT_THAT(started(), IsEmpty());
  EXPECT_THAT(server.jobs.script_StartReconcile.requests, IsEmpty());
}

TEST_F(JobsTest, WhatIsNoTimeNamesTheFlag) {
  const Result result = Run({"backfill", "-c", "shop1", "--since", "yesterday"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("--since"), HasSubstr("yesterday"), HasSubstr("7d")));
  EXPECT_THAT(started(), IsEmpty());
}

TEST_F(JobsTest, ReconcileThatFindsDifferencesIsSix) {
  server.jobs.streams.push_back([this](grpc::ServerContext&, Writer& writer) {
    api::Job job = At(api::JOB_STATE_SUCCEEDED, 3);
    job.mutable_progress()->set_difference_count(1);
    auto* difference = job.mutable_progress()->add_differences();
    difference->set_order_id(42);
    difference->set_order_name("S00042");
    difference->set_what("missing");
    Send(writer, job);
    return grpc::Status::OK;
  });
  const Result result = Run({"reconcile", "-c", "shop1"});
  EXPECT_EQ(result.code, 6);
  EXPECT_THAT(result.out, AllOf(HasSubstr("S00042"), HasSubstr("never recorded here")));
  EXPECT_EQ(server.jobs.script_StartReconcile.requests.at(0).since_time().seconds(),
            1'800'000'000 - 7 * 86'400);
}

TEST_F(JobsTest, WhatWasThereBeforeTheStartIsNoDifference) {
  server.jobs.streams.push_back([this](grpc::ServerContext&, Writer& writer) {
    api::Job job = At(api::JOB_STATE_SUCCEEDED, 3);
    job.mutable_progress()->set_baseline_count(12);
    Send(writer, job);
    return grpc::Status::OK;
  });
  const Result result = Run({"reconcile", "-c", "shop1"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("0 differ, 0 unchanged, 12 from before the start"));
}

TEST_F(JobsTest, ReconcileThatRepairedIsDone) {
  server.jobs.streams.push_back([this](grpc::ServerContext&, Writer& writer) {
    api::Job job = At(api::JOB_STATE_SUCCEEDED, 3);
    job.mutable_progress()->set_difference_count(1);
    job.mutable_progress()->set_enqueued_count(1);
    Send(writer, job);
    return grpc::Status::OK;
  });
  const Result result = Run({"reconcile", "-c", "shop1", "--repair", "--yes"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("1 enqueued"));
}

TEST_F(JobsTest, AJobThatFailsIsOne) {
  server.jobs.streams.push_back([this](grpc::ServerContext&, Writer& writer) {
    api::Job job = At(api::JOB_STATE_FAILED, 3);
    job.set_error("the connection was moved to another Odoo");
    Send(writer, job);
    return grpc::Status::OK;
  });
  const Result result = Run({"jobs", "watch", "7"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out, HasSubstr("moved to another Odoo"));
}

TEST_F(JobsTest, WatchGoesOnWhenTheConnectionIsLost) {
  server.jobs.streams.push_back([this](grpc::ServerContext&, Writer& writer) {
    Send(writer, At(api::JOB_STATE_RUNNING, 100));
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "connection reset");
  });
  server.jobs.streams.push_back(SucceedingStream());
  const Result result = Run({"jobs", "watch", "7"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("the connection is lost"));
  EXPECT_EQ(server.jobs.stream_requests.size(), 2u);
}

TEST_F(JobsTest, CtrlCDetachesAndSaysHowToReturn) {
  server.jobs.streams.push_back([this](grpc::ServerContext& context, Writer& writer) {
    Send(writer, At(api::JOB_STATE_RUNNING, 100));
    interrupt.Press();
    while (!context.IsCancelled()) Send(writer, At(api::JOB_STATE_RUNNING, 100));
    return grpc::Status::CANCELLED;
  });
  const Result result = Run({"jobs", "watch", "7"});
  EXPECT_EQ(result.code, 130) << "a script must not take it for done";
  EXPECT_THAT(result.err, HasSubstr("pollerctl jobs watch 7"));
}

TEST_F(JobsTest, ATimeLimitEndsTheFollowingAndNotTheJob) {
  for (int i = 0; i < 2; ++i) {
    server.jobs.streams.push_back([this](grpc::ServerContext& context, Writer& writer) {
      while (!context.IsCancelled()) Send(writer, At(api::JOB_STATE_RUNNING, 100));
      return grpc::Status::CANCELLED;
    });
  }
  const Result watched = Run({"jobs", "watch", "7", "--timeout", "100ms"});
  EXPECT_EQ(watched.code, 7);
  EXPECT_THAT(watched.err, AllOf(HasSubstr("not over in time"), HasSubstr("jobs watch 7")));
  const Result reconciled = Run({"reconcile", "-c", "shop1", "--timeout", "100ms", "-o", "json"});
  EXPECT_EQ(reconciled.code, 7);
  EXPECT_THAT(reconciled.out, HasSubstr("\"JOB_STATE_RUNNING\""));
}

TEST_F(JobsTest, WatchAsLinesOfJsonPrintsEachStep) {
  server.jobs.streams.push_back(SucceedingStream());
  const Result result = Run({"jobs", "watch", "7", "-o", "jsonl"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 2);
  EXPECT_THAT(result.out, HasSubstr("\"JOB_STATE_SUCCEEDED\""));
}

TEST_F(JobsTest, JobsAloneListsThem) {
  server.jobs.script_ListJobs.answer = [this](const auto&, api::ListJobsResponse& response) {
    api::Job waiting = At(api::JOB_STATE_RUNNING, 100);
    waiting.mutable_progress()->set_waits_for("backlog");
    *response.add_jobs() = waiting;
    return grpc::Status::OK;
  };
  const Result result = Run({"jobs", "--unfinished"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("backfill"), HasSubstr("waiting"), HasSubstr("shop1"),
                                HasSubstr("until fewer orders wait")));
  EXPECT_TRUE(server.jobs.script_ListJobs.requests.at(0).unfinished());
  EXPECT_EQ(Run({"jobs", "list"}).code, 0);
}

TEST_F(JobsTest, CancelAndShowTakeTheNumber) {
  server.jobs.script_CancelJob.answer = [this](const auto&, api::CancelJobResponse& response) {
    *response.mutable_job() = At(api::JOB_STATE_CANCELLED, 100);
    return grpc::Status::OK;
  };
  server.jobs.script_GetJob.answer = [](const auto&, auto&) {
    return ServerError(grpc::StatusCode::NOT_FOUND, "there is no job 8", "JOB_NOT_FOUND");
  };
  EXPECT_THAT(Run({"jobs", "cancel", "7"}).out, HasSubstr("backfill 7 is cancelled"));
  EXPECT_EQ(server.jobs.script_CancelJob.requests.at(0).job_id(), 7);
  EXPECT_EQ(Run({"jobs", "show", "8"}).code, 3);
  EXPECT_EQ(Run({"jobs", "show"}).code, 2);
}

TEST_F(JobsTest, ProgressIsOneLineOnATerminal) {
  terminal.output = true;
  server.jobs.streams.push_back(SucceedingStream());
  const Result result = Run({"jobs", "watch", "7"});
  EXPECT_THAT(result.err, AllOf(HasSubstr("\r"), Not(HasSubstr("\n"))));
}

}  // namespace
}  // namespace poller::client
