#include "client/commands/connection_form.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "client/arguments.h"
#include "client/commands/secret_files.h"
#include "client/convert.h"
#include "client/errors.h"
#include "client/output/text.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "core/base/url.h"

namespace poller::client {
namespace {

using google::protobuf::FieldDescriptor;

constexpr std::array kQuestions = {
    Question{"odoo.url", "Odoo URL", true},
    Question{"odoo.database", "Odoo database", true},
    Question{"odoo.username", "Odoo login", true},
    Question{"odoo.api_key", "Odoo API key", true, true},
    Question{"webhook.url", "Webhook URL", true},
    Question{"webhook.secret", "Webhook secret", true, true},
    Question{"name", "Name of the connection", true},
    Question{"external_id", "Connection id at the receiver"},
    Question{"interval", "Poll every"},
    Question{"webhook.legacy_secret_header", "Send the secret as X-Webhook-Secret too (yes/no)"},
};

absl::Status Invalid(std::string_view message) {
  return MakeStatus(absl::StatusCode::kInvalidArgument, message);
}

struct FieldPlace {
  google::protobuf::Message* message;
  const FieldDescriptor* field;
};

// The message that holds `path`, and its field. `path` is one of ours.
FieldPlace Find(google::protobuf::Message& root, std::string_view path) {
  google::protobuf::Message* message = &root;
  for (;;) {
    const std::size_t dot = path.find('.');
    const FieldDescriptor* field =
        message->GetDescriptor()->FindFieldByName(std::string(path.substr(0, dot)));
    if (dot == std::string_view::npos) return {message, field};
    message = message->GetReflection()->MutableMessage(message, field);
    path.remove_prefix(dot + 1);
  }
}

absl::Status SetFlag(const FieldPlace& place, const std::string& text) {
  const bool yes = text == "yes" || text == "y" || text == "true";
  if (!yes && text != "no" && text != "n" && text != "false") return Invalid("answer yes or no");
  place.message->GetReflection()->SetBool(place.message, place.field, yes);
  return absl::OkStatus();
}

absl::Status SetChoice(const FieldPlace& place, const std::string& text) {
  std::string wanted = text;
  std::transform(wanted.begin(), wanted.end(), wanted.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  const auto* type = place.field->enum_type();
  const auto* value = type->FindValueByName("ODOO_PROTOCOL_" + wanted);
  if (value == nullptr || value->number() == 0) return Invalid("choose auto, jsonrpc or json2");
  place.message->GetReflection()->SetEnum(place.message, place.field, value);
  return absl::OkStatus();
}

absl::Status SetNumbers(const FieldPlace& place, const std::string& text) {
  const auto* reflection = place.message->GetReflection();
  reflection->ClearField(place.message, place.field);
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), number);
    if (error != std::errc() || end != item.data() + item.size())
      return Invalid("numbers with commas between");
    reflection->AddInt64(place.message, place.field, number);
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
  }
  return absl::OkStatus();
}

absl::Status SetDuration(const FieldPlace& place, const std::string& text) {
  ASSIGN_OR_RETURN(const absl::Duration duration, ParseDuration(text));
  place.message->GetReflection()
      ->MutableMessage(place.message, place.field)
      ->CopyFrom(FromDuration(duration));
  return absl::OkStatus();
}

absl::Status SetRate(const FieldPlace& place, const std::string& text) {
  double rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (error != std::errc() || end != text.data() + text.size())
    return Invalid("a number of calls a second, such as 0.5");
  place.message->GetReflection()->SetDouble(place.message, place.field, rate);
  return absl::OkStatus();
}

// Mistakes that are seen without a server.
absl::Status CheckText(std::string_view field, const std::string& text) {
  if (field == "odoo.url" || (field == "webhook.url" && !text.empty()))
    return ParseUrl(text).status();
  if (field != "name") return absl::OkStatus();
  if (text.empty()) return Invalid("a name is needed");
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return Invalid("a name of digits alone would be taken for a number: add a letter");
  }
  return absl::OkStatus();
}

// `start_from` as the server takes it: an age becomes a time.
absl::StatusOr<std::string> StartValue(const std::string& text, absl::Time now) {
  if (text == "now" || text == "beginning" || text.starts_with("last:")) return text;
  const auto time = ParseTimeOrAge(text, now);
  if (!time.ok()) {
    return Invalid(
        "must be now, beginning, last:N, a time such as 2026-01-31, or an age such as 30d");
  }
  if (*time > now) return Invalid("lies in the future: to begin with what comes, say now");
  return poller::FormatTime(*time);
}

std::string DefaultOf(const Question& question, const api::Connection& connection) {
  if (question.field == "name") return connection.odoo().database();
  if (question.field == "interval") return "60s";
  if (question.field == "webhook.legacy_secret_header") return "no";
  return "";
}

}  // namespace

std::span<const Question> Questions() { return kQuestions; }

absl::Status SetField(api::Connection& connection, std::string_view field,
                      const std::string& text) {
  const FieldPlace place = Find(connection, field);
  switch (place.field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return SetFlag(place, text);
    case FieldDescriptor::CPPTYPE_ENUM:
      return SetChoice(place, text);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return SetDuration(place, text);
    case FieldDescriptor::CPPTYPE_INT64:
      return SetNumbers(place, text);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return SetRate(place, text);
    default:
      break;
  }
  RETURN_IF_ERROR(CheckText(field, text));
  place.message->GetReflection()->SetString(place.message, place.field, text);
  return absl::OkStatus();
}

std::string GetField(const api::Connection& connection, std::string_view field) {
  api::Connection copy = connection;
  const FieldPlace place = Find(copy, field);
  const auto* reflection = place.message->GetReflection();
  switch (place.field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(*place.message, place.field) ? "yes" : "no";
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->GetString(*place.message, place.field);
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      if (!reflection->HasField(*place.message, place.field)) return "";
      google::protobuf::Duration duration;
      duration.CopyFrom(reflection->GetMessage(*place.message, place.field));
      return poller::FormatDuration(ToDuration(duration));
    }
    default:
      return "";
  }
}

void ConnectionFlags::AddText(CLI::App& verb, const char* flag, const char* field, const char* type,
                              const char* description) {
  verb.add_option_function<std::string>(
          flag,
          [this, field = std::string(field)](const std::string& text) { texts_[field] = text; },
          description)
      ->type_name(type);
}

void ConnectionFlags::AddFile(CLI::App& verb, const char* flag, const char* field,
                              const char* description) {
  verb.add_option_function<std::string>(
          flag,
          [this, field = std::string(field)](const std::string& file) { files_[field] = file; },
          description)
      ->type_name("FILE");
}

void ConnectionFlags::AddSwitch(CLI::App& verb, const char* flag, const char* field,
                                const char* description) {
  const std::string off = "--no-" + std::string(flag).substr(2);
  verb.add_flag_callback(
      flag, [this, field = std::string(field)] { texts_[field] = "yes"; }, description);
  verb.add_flag_callback(
          off, [this, field = std::string(field)] { texts_[field] = "no"; }, "")
      ->group("");
}

void ConnectionFlags::AddTo(CLI::App& verb, For purpose) {
  AddText(verb, "--name", "name", "NAME", "Unique name, not of digits alone");
  AddText(verb, "--connection-id", "external_id", "TEXT",
          "The receiver's own id: connection_id of the webhook");
  AddText(verb, "--url", "odoo.url", "URL", "Odoo's address, such as https://shop.odoo.com");
  AddText(verb, "--database", "odoo.database", "NAME", "Odoo's database");
  AddText(verb, "--username", "odoo.username", "LOGIN", "Odoo's login");
  AddFile(verb, "--api-key-file", "odoo.api_key",
          "File with the API key; - reads a line of standard input");
  AddText(verb, "--webhook-url", "webhook.url", "URL", "Where orders are posted to");
  AddFile(verb, "--webhook-secret-file", "webhook.secret",
          "File with the secret that signs; - reads a line of standard input");
  AddSwitch(verb, "--legacy-secret-header", "webhook.legacy_secret_header",
            "Send the secret as X-Webhook-Secret too (--no-... switches it off)");
  AddText(verb, "--interval", "interval", "DURATION", "From poll to poll, 5s to 24h [60s]");
  AddText(verb, "--overlap", "overlap", "DURATION",
          "How far each poll looks back [the server's, 5m]");
  AddText(verb, "--protocol", "odoo.protocol", "auto|jsonrpc|json2",
          "How to speak with Odoo [auto]");
  AddSwitch(verb, "--send-cancelled", "send_cancelled",
            "Send order.cancelled too (--no-... switches it off)");
  AddSwitch(verb, "--send-every-touch", "send_every_touch",
            "Send an order whenever Odoo touches it, also unchanged (--no-... switches it off)");
  AddText(verb, "--line-interval", "line_interval", "DURATION",
          "How often changed order lines are looked for, 5s to 24h [5m]");
  AddText(verb, "--track-age", "track_age", "DURATION",
          "How old an order may be for changes of its lines to be noticed [90d]");
  AddText(verb, "--odoo-rate", "odoo.rate", "NUMBER",
          "At most so many calls a second to Odoo, such as 0.5; 0: the server's default [0]");
  AddText(verb, "--company", "odoo.company_ids", "IDS",
          "Only orders of these companies: Odoo's ids, with commas between [all]");
  AddFile(verb, "--odoo-ca", "odoo.ca_pem", "PEM file with the authority of Odoo's certificate");
  AddFile(verb, "--webhook-ca", "webhook.ca_pem",
          "PEM file with the authority of the receiver's certificate");
  if (purpose == For::kEdit) return;
  AddText(
      verb, "--start-from", "start_from", "now|beginning|WHEN",
      "What to deliver of the history: now (nothing), beginning (all), last:N (the newest N), or "
      "all since a time such as 2026-01-31, or an age such as 30d [now]");
}

bool ConnectionFlags::Apply(Session& session, api::Connection& connection) const {
  bool good = true;
  const auto complain = [&](const std::string& field, const absl::Status& status) {
    session.WrongUsage(fmt::format("{}: {}", SettingFlag(field), Message(status)));
    good = false;
  };
  for (const auto& [field, text] : texts_) {
    const absl::StatusOr<std::string> value =
        field == "start_from" ? StartValue(text, session.now()) : text;
    const absl::Status status = value.ok() ? SetField(connection, field, *value) : value.status();
    if (!status.ok()) complain(field, status);
  }
  for (const auto& [field, file] : files_) {
    auto content = ReadValue(session.io(), file);
    if (!content.ok()) {
      complain(field, content.status());
      continue;
    }
    std::string value =
        field.ends_with("ca_pem") ? *std::move(content) : WithoutLineEnd(*std::move(content));
    if (value.empty()) {
      complain(field, Invalid(file == "-" ? "the line is empty" : "the file is empty"));
    } else if (const absl::Status status = SetField(connection, field, value); !status.ok()) {
      complain(field, status);
    }
    WipeString(value);
  }
  return good;
}

std::vector<std::string> ConnectionFlags::Fields() const {
  std::vector<std::string> fields;
  for (const auto& [field, text] : texts_) fields.push_back(field);
  for (const auto& [field, file] : files_) fields.push_back(field);
  return fields;
}

bool Ask(Session& session, const Question& question, api::Connection& connection, bool editing) {
  Terminal& terminal = session.io().terminal;
  const std::string present = GetField(connection, question.field);
  std::string preset = present;
  if (!editing && (preset.empty() || question.field.ends_with("header")))
    preset = DefaultOf(question, connection);
  for (;;) {
    std::optional<std::string> answer;
    if (question.secret) {
      const auto secret =
          terminal.ReadSecret(fmt::format("{}{}: ", question.label, editing ? " [keep]" : ""));
      if (secret) answer = secret->Reveal();
    } else {
      answer = terminal.ReadLine(preset.empty()
                                     ? fmt::format("{}: ", question.label)
                                     : fmt::format("{} [{}]: ", question.label, Printable(preset)));
    }
    if (!answer) {
      session.Note("");
      session.WrongUsage("the input ended before all was answered");
      return false;
    }
    if (answer->empty() && editing) return true;
    if (answer->empty()) answer = preset;
    if (answer->empty() && question.required) {
      session.Note("  it is needed");
      continue;
    }
    if (answer->empty()) return true;
    const absl::Status status = SetField(connection, question.field, *answer);
    if (question.secret) WipeString(*answer);
    if (status.ok()) return true;
    session.Note(fmt::format("  {}", Message(status)));
  }
}

std::vector<Question> Refused(const grpc::Status& status) {
  std::vector<Question> again;
  const ErrorDetails details = DetailsOf(status);
  const auto add = [&again](std::string_view field) {
    for (const Question& question : kQuestions) {
      if (question.field == field) again.push_back(question);
    }
  };
  for (const auto& violation : details.bad_request.field_violations()) {
    std::string_view field = violation.field();
    if (field.starts_with("connection."))
      field.remove_prefix(std::string_view("connection.").size());
    add(field);
  }
  if (details.reason == "NAME_TAKEN") add("name");
  return again;
}

}  // namespace poller::client
