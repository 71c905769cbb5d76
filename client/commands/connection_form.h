// Settings of a connection by flags and by questions.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "client/session.h"
#include "core/base/secret.h"

namespace poller::client {

// Sets the field of `connection` that the API names `field` ("odoo.url") from what a person typed:
// durations as "60s", yes or no, lists with commas. kInvalidArgument says what is accepted. Texts
// that only the server can judge are taken as they are.
absl::Status SetField(api::Connection& connection, std::string_view field, const std::string& text);
// The value as a person would type it; empty if it is unset.
std::string GetField(const api::Connection& connection, std::string_view field);

// What the flags of `add` and `edit` say, by field. Files are not read yet.
class ConnectionFlags {
 public:
  enum class For { kAdd, kEdit };
  // Adds the flags to a verb. The object must live as long as the verb.
  void AddTo(CLI::App& verb, For purpose);
  bool empty() const { return texts_.empty() && files_.empty(); }
  // Reads the files and sets everything. False: said what is wrong, under the flag's name.
  bool Apply(Session& session, api::Connection& connection) const;
  // Fields that were given.
  std::vector<std::string> Fields() const;

 private:
  void AddText(CLI::App& verb, const char* flag, const char* field, const char* type,
               const char* description);
  void AddFile(CLI::App& verb, const char* flag, const char* field, const char* description);
  void AddSwitch(CLI::App& verb, const char* flag, const char* field, const char* description);
  std::map<std::string, std::string> texts_;  // field: value
  std::map<std::string, std::string> files_;  // field: file, or "-"
};

// Something that a person is asked for.
struct Question {
  std::string_view field;
  std::string_view label;
  bool required = false;  // when creating
  bool secret = false;
};
// In the order in which they are asked.
std::span<const Question> Questions();

// Asks until the answer has the right form. In brackets stands the value that Enter takes: the
// present one, or the default. False: the input ended.
bool Ask(Session& session, const Question& question, api::Connection& connection, bool editing);

// Which of the fields that the server refused can be asked for again; empty: none.
std::vector<Question> Refused(const grpc::Status& status);

}  // namespace poller::client
