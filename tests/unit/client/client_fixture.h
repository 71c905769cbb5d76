// Runs whole command lines against a scripted server, with a scripted person at the terminal.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "client/app.h"
#include "client/exit_code.h"
#include "client/io.h"
#include "tests/unit/client/scripted_server.h"

namespace poller::client {

class FakeTerminal : public Terminal {
 public:
  bool can_ask = false;
  bool output = false;
  int width = 80;
  std::deque<std::string>
      answers;  // to questions, secret ones too; when used up, the input has ended
  std::vector<std::string> prompts;
  std::vector<std::string> secret_prompts;

  bool CanAsk() const override { return can_ask; }
  bool OutputIsTerminal() const override { return output; }
  int Width() const override { return width; }
  std::optional<std::string> ReadLine(std::string_view prompt) override {
    prompts.emplace_back(prompt);
    return Next();
  }
  std::optional<Secret> ReadSecret(std::string_view prompt) override {
    secret_prompts.emplace_back(prompt);
    auto answer = Next();
    if (!answer) return std::nullopt;
    return Secret(*std::move(answer));
  }

 private:
  std::optional<std::string> Next() {
    if (answers.empty()) return std::nullopt;
    std::string answer = answers.front();
    answers.pop_front();
    return answer;
  }
};

// The user interrupts when the test says so. Waits end at once.
class FakeInterrupt : public Interrupt {
 public:
  void OnInterrupt(std::function<void()> callback) override {
    absl::MutexLock lock(&mutex_);
    callback_ = std::move(callback);
  }
  bool Interrupted() const override { return interrupted_; }
  bool Wait(absl::Duration duration) override {
    waited += duration;
    return !interrupted_;
  }
  void Press() {
    absl::MutexLock lock(&mutex_);
    interrupted_ = true;
    if (callback_) callback_();
  }
  absl::Duration waited;

 private:
  absl::Mutex mutex_;
  std::function<void()> callback_;
  std::atomic<bool> interrupted_{false};
};

class FixedClock : public Clock {
 public:
  absl::Time Now() const override { return now; }
  absl::Duration Monotonic() const override { return absl::ZeroDuration(); }
  absl::Time now = absl::FromUnixSeconds(1'800'000'000);
};

class ClientTest : public testing::Test {
 protected:
  struct Result {
    int code = -1;
    std::string out, err;
  };

  // Against the scripted server; `arguments` may name another.
  Result Run(std::vector<std::string> arguments, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out, err;
    environment.try_emplace("POLLERCTL_SERVER", server.address());
    Io io{in,
          out,
          err,
          terminal,
          interrupt,
          clock,
          [this](const std::string& name) -> std::optional<std::string> {
            const auto found = environment.find(name);
            if (found == environment.end()) return std::nullopt;
            return found->second;
          }};
    Result result;
    result.code = RunClient(arguments, io);
    result.out = out.str();
    result.err = err.str();
    return result;
  }

  // A file that is removed with the test.
  std::string WriteFile(const std::string& name, const std::string& content);

  static api::Connection Shop(std::int64_t id, const std::string& name) {
    api::Connection connection;
    connection.set_id(id);
    connection.set_name(name);
    connection.mutable_odoo()->set_url("https://" + name + ".example");
    connection.mutable_odoo()->set_database(name);
    connection.mutable_odoo()->set_username("bot");
    connection.mutable_odoo()->set_has_api_key(true);
    connection.mutable_webhook()->set_url("https://receiver.example/hook");
    connection.mutable_webhook()->set_has_secret(true);
    connection.mutable_interval()->set_seconds(60);
    connection.set_etag("v1");
    connection.mutable_state()->set_health(api::CONNECTION_HEALTH_HEALTHY);
    return connection;
  }

  ScriptedServer server;
  FakeTerminal terminal;
  FakeInterrupt interrupt;
  FixedClock clock;
  std::map<std::string, std::string> environment;
  std::vector<std::string> files_;

  ~ClientTest() override;
};

}  // namespace poller::client
