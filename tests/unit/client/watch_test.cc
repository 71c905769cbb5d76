// events and logs -f: what is shown, and how they go on after an interruption.
#include <google/protobuf/util/json_util.h>

#include <string>

#include "tests/unit/client/client_fixture.h"

namespace poller::client {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Writer = grpc::ServerWriter<api::StreamSyncEventsResponse>;

class WatchTest : public ClientTest {
 protected:
  static api::StreamSyncEventsResponse Event(std::int64_t sequence, const std::string& order) {
    api::StreamSyncEventsResponse message;
    api::SyncEvent& event = *message.mutable_event();
    event.set_sequence(sequence);
    event.set_log_id("log");
    event.set_type(api::EVENT_TYPE_DELIVERY_SUCCEEDED);
    event.set_connection_name("shop1");
    event.set_order_id(sequence);
    event.set_order_name(order);
    event.mutable_delivery_outcome()->set_http_status(200);
    return message;
  }
  static api::StreamSyncEventsResponse Heartbeat(std::int64_t sequence) {
    api::StreamSyncEventsResponse message;
    message.mutable_heartbeat()->set_sequence(sequence);
    message.mutable_heartbeat()->set_log_id("log");
    return message;
  }
  static grpc::Status Lost() { return {grpc::StatusCode::UNAVAILABLE, "connection reset"}; }

  // The user presses Ctrl-C; the stream then ends when the client cancels it.
  grpc::Status Interrupted(grpc::ServerContext& context, Writer& writer) {
    interrupt.Press();
    while (!context.IsCancelled() && writer.Write(Heartbeat(0))) {
    }
    return grpc::Status::CANCELLED;
  }
  auto InterruptedStream() {
    return [this](grpc::ServerContext& context, Writer& writer) {
      return Interrupted(context, writer);
    };
  }
  auto& streams() { return server.sync_logs.streams; }
  auto& requests() { return server.sync_logs.stream_requests; }
};

TEST_F(WatchTest, EventsGoOnAfterTheLastOneWhenTheConnectionIsLost) {
  streams().push_back([](auto&, Writer& writer) {
    writer.Write(Event(5, "S5"));
    writer.Write(Event(6, "S6"));
    return Lost();
  });
  streams().push_back([](auto&, Writer& writer) {
    writer.Write(Event(6, "S6"));  // a server that repeats itself: shown once all the same
    writer.Write(Event(7, "S7"));
    return Lost();
  });
  streams().push_back(InterruptedStream());
  const Result result = Run({"events", "-o", "jsonl"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 3) << result.out;
  EXPECT_THAT(result.out, AllOf(HasSubstr("\"S5\""), HasSubstr("\"S6\""), HasSubstr("\"S7\"")));
  EXPECT_FALSE(requests().at(0).has_after_sequence());
  EXPECT_EQ(requests().at(1).after_sequence(), 6);
  EXPECT_EQ(requests().at(1).log_id(), "log");
  EXPECT_EQ(requests().at(2).after_sequence(), 7);
  EXPECT_THAT(result.err, AllOf(HasSubstr("lost"), HasSubstr("connected again")));
}

TEST_F(WatchTest, AHeartbeatMovesThePlaceToGoOnFrom) {
  streams().push_back([](auto&, Writer& writer) {
    writer.Write(Heartbeat(40));
    return Lost();
  });
  streams().push_back(InterruptedStream());
  Run({"events"});
  EXPECT_EQ(requests().at(1).after_sequence(), 40);
}

TEST_F(WatchTest, AServerThatStopsIsWaitedFor) {
  streams().push_back([](auto&, Writer& writer) {
    writer.Write(Event(1, "S1"));
    return ServerError(grpc::StatusCode::UNAVAILABLE, "stopping", "DRAINING");
  });
  streams().push_back(InterruptedStream());
  EXPECT_EQ(Run({"events"}).code, 0);
  EXPECT_EQ(requests().at(1).after_sequence(), 1);
}

TEST_F(WatchTest, WaitsLongerFromAttemptToAttempt) {
  streams().push_back([](auto&, Writer& writer) {
    writer.Write(Heartbeat(1));
    return Lost();
  });
  for (int i = 0; i < 3; ++i) streams().push_back([](auto&, Writer&) { return Lost(); });
  streams().push_back(InterruptedStream());
  Run({"events"});
  EXPECT_EQ(interrupt.waited, absl::Milliseconds(200 + 400 + 800 + 1600));
}

TEST_F(WatchTest, EventsOfAServerThatIsNotThereEndAtOnce) {
  EXPECT_EQ(Run({"events", "--server", "127.0.0.1:1"}).code, 5);
}

TEST_F(WatchTest, ARefusalEndsTheStreamAndIsExplained) {
  streams().push_back([](auto&, Writer&) {
    return ServerError(grpc::StatusCode::OUT_OF_RANGE, "events 10 to 20 are kept",
                       "SEQUENCE_OUT_OF_RANGE");
  });
  const Result result = Run({"events", "--after", "3"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(requests().at(0).after_sequence(), 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("10 to 20"), HasSubstr("--after 0")));
}

TEST_F(WatchTest, CtrlCSaysHowToGoOn) {
  streams().push_back([](auto&, Writer& writer) {
    writer.Write(Event(9, "S9"));
    return Lost();
  });
  streams().push_back(InterruptedStream());
  const Result result = Run({"events"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("--after 9"));
}

TEST_F(WatchTest, FiltersByConnectionAndByGroupsOfTypes) {
  streams().push_back(InterruptedStream());
  Run({"events", "-c", "shop1", "--type", "circuit", "--type", "delivery-dead", "--payload",
       "--after", "0"});
  const auto& request = requests().at(0);
  EXPECT_EQ(request.connection().name(), "shop1");
  EXPECT_TRUE(request.has_after_sequence());
  EXPECT_TRUE(request.include_payload());
  EXPECT_THAT(request.types(), testing::UnorderedElementsAre(api::EVENT_TYPE_CIRCUIT_OPENED,
                                                             api::EVENT_TYPE_CIRCUIT_HALF_OPENED,
                                                             api::EVENT_TYPE_CIRCUIT_CLOSED,
                                                             api::EVENT_TYPE_CIRCUIT_RESET,
                                                             api::EVENT_TYPE_DELIVERY_DEAD));
}

TEST_F(WatchTest, AnUnknownTypeIsWrongUsageAndListsAll) {
  const Result result = Run({"events", "--type", "nonsense"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("delivery-succeeded"));
  EXPECT_THAT(requests(), IsEmpty());
}

TEST_F(WatchTest, EventsFitTheTerminalAndEscapeItsCodes) {
  terminal.output = true;
  terminal.width = 60;
  environment["NO_COLOR"] = "1";
  streams().push_back([](auto&, Writer& writer) {
    writer.Write(Event(9, "S9\x1b[2J" + std::string(200, 'x')));
    return ServerError(grpc::StatusCode::OUT_OF_RANGE, "the end", "EVENTS_PRUNED");
  });
  const Result result = Run({"events"});
  EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));
  EXPECT_LE(result.out.find('\n'), 63U);  // the ellipsis has three bytes and one column
}

class LogsTest : public WatchTest {
 protected:
  LogsTest() {
    server.sync_logs.script_ListSyncLogs.answer = [this](const api::ListSyncLogsRequest& request,
                                                         api::ListSyncLogsResponse& response) {
      const auto count = std::min<std::int64_t>(request.page_size(), newest);
      for (std::int64_t id = newest; id > newest - count; --id) {
        response.add_sync_logs()->set_id(id);
        response.mutable_sync_logs(response.sync_logs_size() - 1)
            ->set_connection_name("shop" + std::to_string(id));
      }
      return grpc::Status::OK;
    };
  }
  // Ids of the log lines, in the order in which they were shown.
  static std::vector<std::int64_t> Ids(const std::string& lines) {
    std::vector<std::int64_t> ids;
    std::istringstream in(lines);
    for (std::string line; std::getline(in, line);) {
      api::SyncLog log;
      EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(line, &log).ok()) << line;
      ids.push_back(log.id());
    }
    return ids;
  }
  // Writes until the client has asked `lists` times for logs in all.
  void BeatUntilListed(Writer& writer, std::size_t lists) {
    // The client looks when nothing comes for a moment, so one message is enough; then wait for its
    // call.
    writer.Write(Heartbeat(1));
    absl::MutexLock lock(&mutex_);
    const auto listed = [this, lists] { return listed_ >= lists; };
    mutex_.AwaitWithTimeout(absl::Condition(&listed), absl::Seconds(20));
  }
  void CountLists() {
    auto answer = server.sync_logs.script_ListSyncLogs.answer;
    server.sync_logs.script_ListSyncLogs.answer = [this, answer](const auto& request,
                                                                 auto& response) {
      const grpc::Status status = answer(request, response);
      absl::MutexLock lock(&mutex_);
      ++listed_;
      return status;
    };
  }

  std::atomic<std::int64_t> newest{3};
  absl::Mutex mutex_;
  std::size_t listed_ = 0;
};

TEST_F(LogsTest, ShowsTheNewestAtTheEnd) {
  EXPECT_THAT(Ids(Run({"logs", "-n", "2", "-o", "jsonl"}).out), testing::ElementsAre(2, 3));
}

TEST_F(LogsTest, FollowShowsWhatComesOnceAlsoAcrossAnInterruption) {
  CountLists();
  streams().push_back([this](grpc::ServerContext&, Writer& writer) {
    newest = 5;
    BeatUntilListed(writer, 2);
    return Lost();
  });
  streams().push_back([this](grpc::ServerContext& context, Writer& writer) {
    newest = 30;  // more than one look shows
    BeatUntilListed(writer, 4);
    return Interrupted(context, writer);
  });
  const Result result = Run({"logs", "-f", "-n", "1", "-o", "jsonl"});
  EXPECT_EQ(result.code, 0) << result.err;
  const std::vector<std::int64_t> ids = Ids(result.out);
  ASSERT_EQ(ids.size(), 28U);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], static_cast<std::int64_t>(i) + 3);
}

}  // namespace
}  // namespace poller::client
