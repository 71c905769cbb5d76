#include "core/odoo/error_table.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace poller::odoo {
namespace {

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

std::string_view DigitsAt(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  return text.substr(begin, end - begin);
}

// "(Record: res.users(7,), User: 7)": the caller is gone, and not a user whom a record mentions.
bool IsCallerGone(std::string_view message) {
  constexpr std::string_view kUsers = "res.users(";
  const std::size_t at = message.find(kUsers);
  if (at == message.npos) return false;
  const std::string_view id = DigitsAt(message, at + kUsers.size());
  const std::size_t caller = message.find_last_not_of(") \n");
  if (id.empty() || caller == message.npos) return false;
  std::size_t begin = caller + 1;
  while (begin > 0 && message[begin - 1] >= '0' && message[begin - 1] <= '9') --begin;
  return message.substr(begin, caller + 1 - begin) == id;
}

bool IsModelAccess(std::string_view message) {
  return message.starts_with("You are not allowed to access '");
}
bool IsUnknownDatabase(std::string_view message) {
  return Contains(message, "database \"") && Contains(message, "does not exist");
}
bool IsNoSuchObject(std::string_view message) {
  return message.starts_with("Object ") && Contains(message, "doesn't exist");
}
bool IsBadTerm(std::string_view message) {
  return message.starts_with("Invalid ") || message.starts_with("expecting only datetimes");
}
bool IsBadArguments(std::string_view message) {
  return Contains(message, "unexpected keyword argument") ||
         Contains(message, "required positional argument") || Contains(message, "Domain() ");
}
bool IsPrivateMethod(std::string_view message) {
  return Contains(message, "cannot be called remotely");
}
bool IsBadCompany(std::string_view message) {
  return Contains(message, "unauthorized or invalid companies");
}
bool IsUnknownName(std::string_view message) { return Contains(message, "does not exist"); }
bool IsWrongRoute(std::string_view message) { return Contains(message, "/json/2/<model>"); }
bool IsUsersModel(std::string_view message) {
  return message == "res.users" || message == "'res.users'";
}
bool IsOurService(std::string_view message) {
  return message == "common" || message == "object" || message == "'common'" ||
         message == "'object'";
}

// An error object of Odoo. The first row whose name is a prefix of the error's and whose test holds
// decides; so a special row stands before the general one.
struct NamedRow {
  std::string_view name;
  bool (*test)(std::string_view message);  // null: any message
  ErrorKind kind;
};
constexpr NamedRow kNamed[] = {
    {"odoo.exceptions.AccessDenied", nullptr, ErrorKind::kCredentials},
    {"odoo.http.SessionExpired", nullptr, ErrorKind::kCredentials},
    {"werkzeug.exceptions.Unauthorized", nullptr, ErrorKind::kCredentials},
    {"odoo.exceptions.MissingError", IsCallerGone, ErrorKind::kCredentials},
    {"odoo.exceptions.AccessError", IsPrivateMethod, ErrorKind::kQuery},
    {"odoo.exceptions.AccessError", IsBadCompany, ErrorKind::kRights},
    {"odoo.exceptions.AccessError", IsModelAccess, ErrorKind::kRights},
    {"odoo.exceptions.UserError", IsNoSuchObject, ErrorKind::kQuery},
    {"builtins.ValueError", IsBadTerm, ErrorKind::kQuery},
    {"builtins.TypeError", IsBadArguments, ErrorKind::kQuery},
    {"builtins.AttributeError", IsUnknownName, ErrorKind::kQuery},
    {"builtins.KeyError", IsUsersModel,
     ErrorKind::kDatabaseMissing},  // a database of something else
    {"builtins.KeyError", IsOurService, ErrorKind::kProtocolGone},
    {"builtins.MemoryError", nullptr, ErrorKind::kTooMuch},
    {"psycopg2.errors.QueryCanceled", nullptr, ErrorKind::kTooMuch},  // statement_timeout
    {"psycopg", IsUnknownDatabase, ErrorKind::kDatabaseMissing},
    {"psycopg", nullptr, ErrorKind::kServerDown},
    {"odoo.sql_db.PoolError", nullptr, ErrorKind::kServerDown},
    {"builtins.Connection", nullptr, ErrorKind::kServerDown},
    {"builtins.OSError", nullptr, ErrorKind::kServerDown},
    {"builtins.TimeoutError", nullptr, ErrorKind::kServerDown},
    {"werkzeug.exceptions.NotFound", IsUnknownName, ErrorKind::kQuery},
    {"werkzeug.exceptions.NotFound", IsWrongRoute, ErrorKind::kQuery},
    {"werkzeug.exceptions.NotFound", nullptr, ErrorKind::kProtocolGone},
    {"werkzeug.exceptions.MethodNotAllowed", nullptr, ErrorKind::kProtocolGone},
    {"werkzeug.exceptions.BadRequest", nullptr, ErrorKind::kQuery},
    {"werkzeug.exceptions.UnprocessableEntity", nullptr, ErrorKind::kQuery},
    {"werkzeug.exceptions.UnsupportedMediaType", nullptr, ErrorKind::kQuery},
    {"werkzeug.exceptions.RequestEntityTooLarge", nullptr, ErrorKind::kTooMuch},
    {"werkzeug.exceptions.Forbidden", nullptr, ErrorKind::kRights},
    {"werkzeug.exceptions.", nullptr, ErrorKind::kServerDown},
    {"", nullptr, ErrorKind::kRecord},  // what a model's own code may raise
};

// "No database is selected": a wrong name, several databases, or PostgreSQL is down. Waiting is the
// answer that harms nobody.
bool IsNoDatabase(std::string_view body) { return Contains(body, "No database is selected"); }

bool IsJson2(const Fault& fault) { return fault.protocol == OdooProtocol::kJson2; }
bool LacksDatabase(const Fault& fault) { return IsNoDatabase(fault.message); }

// An answer that is no error object: the first row whose range holds the status, and whose test
// holds, decides.
struct HttpRow {
  int from, to;
  bool (*test)(const Fault& fault);  // null: any answer
  ErrorKind kind;
};
constexpr HttpRow kHttp[] = {
    {200, 299, nullptr, ErrorKind::kGarbage},       // a page where an answer belongs
    {300, 399, nullptr, ErrorKind::kProtocolGone},  // the URL is another one; we do not follow
    {400, 400, nullptr, ErrorKind::kQuery},
    {404, 404, LacksDatabase, ErrorKind::kServerDown},
    // Odoo's own 404 of JSON-2 is an error object. A page comes from one that found no database.
    {404, 404, IsJson2, ErrorKind::kServerDown},
    {404, 405, nullptr, ErrorKind::kProtocolGone},
    {408, 408, nullptr, ErrorKind::kServerDown},
    {410, 410, nullptr, ErrorKind::kProtocolGone},
    {413, 413, nullptr, ErrorKind::kTooMuch},
    {415, 415, nullptr, ErrorKind::kQuery},
    {422, 422, nullptr, ErrorKind::kQuery},
    {501, 501, nullptr, ErrorKind::kProtocolGone},
    {500, 599, nullptr, ErrorKind::kServerDown},
    {0, 999, nullptr, ErrorKind::kGarbage},  // 401, 403: something before Odoo refuses
};

ErrorKind ClassifyNamed(const Fault& fault) {
  const auto* row = std::find_if(std::begin(kNamed), std::end(kNamed), [&](const NamedRow& r) {
    return fault.name.starts_with(r.name) && (r.test == nullptr || r.test(fault.message));
  });
  if (row->kind != ErrorKind::kRecord || fault.names_records) return row->kind;
  // No record was named, so none is to blame. A search leaves out the records that are forbidden:
  // it is refused only for the whole model, in whatever language the message is.
  return fault.name == "odoo.exceptions.AccessError" ? ErrorKind::kRights : ErrorKind::kServerDown;
}

ErrorKind ClassifyHttp(const Fault& fault) {
  const auto* row = std::find_if(std::begin(kHttp), std::end(kHttp), [&](const HttpRow& r) {
    return fault.http_status >= r.from && fault.http_status <= r.to &&
           (r.test == nullptr || r.test(fault));
  });
  return row == std::end(kHttp) ? ErrorKind::kGarbage : row->kind;
}

}  // namespace

ErrorKind Classify(const Fault& fault) {
  // These are said by the server before the application, whatever the body holds.
  if (fault.http_status == 429) return ErrorKind::kRateLimited;
  if (fault.http_status == 503 && fault.has_retry_after) return ErrorKind::kRateLimited;
  if (fault.http_status >= 502 && fault.http_status <= 504) return ErrorKind::kServerDown;
  const bool is_json = Contains(fault.content_type, "json");
  if (is_json && !fault.name.empty()) return ClassifyNamed(fault);
  return ClassifyHttp(fault);
}

}  // namespace poller::odoo
