// Runs whole command lines against a scripted server, with a scripted person at the terminal.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
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

// What a test wants to happen in front of the screen, one entry a Wait; after the last: 'q'.
struct ScreenScript {
  // Waits until Wake is called.
  static constexpr char kUntilWoken = 0;

  std::deque<char> keys;  // or kUntilWoken
  int width = 120, height = 24;
  std::vector<std::vector<std::string>> frames;  // as drawn
  std::function<void()> before_wait;             // may be empty

  std::string Last() const {
    std::string text;
    if (frames.empty()) return text;
    for (const std::string& line : frames.back()) text += line + "\n";
    return text;
  }
};

class FakeScreen : public Screen {
 public:
  explicit FakeScreen(ScreenScript& script) : script_(script) {}
  int Width() const override { return script_.width; }
  int Height() const override { return script_.height; }
  void Draw(const std::vector<std::string>& lines) override { script_.frames.push_back(lines); }
  ScreenEvent Wait(absl::Duration) override {
    if (script_.before_wait) script_.before_wait();
    key_ = 'q';
    if (!script_.keys.empty()) {
      key_ = script_.keys.front();
      script_.keys.pop_front();
    }
    if (key_ != ScreenScript::kUntilWoken) return ScreenEvent::kKey;
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&woken_));
    woken_ = false;
    return ScreenEvent::kWoken;
  }
  char key() const override { return key_; }
  void Wake() override {
    absl::MutexLock lock(&mutex_);
    woken_ = true;
  }

 private:
  ScreenScript& script_;
  char key_ = 0;
  absl::Mutex mutex_;
  bool woken_ = false;
};

class FakeTerminal : public Terminal {
 public:
  ScreenScript* screen = nullptr;  // nullptr: no screen can be taken
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
  std::unique_ptr<Screen> OpenScreen() override {
    if (screen == nullptr) return nullptr;
    return std::make_unique<FakeScreen>(*screen);
  }
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

  // The server has a version, and these shops.
  void ScriptShops(std::vector<api::Connection> shops) {
    server.admin.script_GetServerStatus.answer = [](const auto&,
                                                    api::GetServerStatusResponse& response) {
      response.set_version("1.2.3");
      return grpc::Status::OK;
    };
    server.connections.script_ListConnections.answer =
        [shops = std::move(shops)](const auto&, api::ListConnectionsResponse& response) {
          for (const api::Connection& shop : shops) *response.add_connections() = shop;
          return grpc::Status::OK;
        };
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
