#include "core/odoo/version.h"

#include <boost/json/object.hpp>

#include "absl/strings/numbers.h"
#include "core/base/text.h"
#include "core/base/url.h"
#include "core/odoo/error_kind.h"
#include "core/odoo/http_fault.h"
#include "fmt/format.h"

namespace poller::odoo {
namespace {

constexpr std::size_t kMaxVersionBytes = 40;
constexpr std::string_view kSaas = "saas~";
// How long before a removal it is worth a word: upgrades of shops are planned by the year.
constexpr absl::Duration kNear = absl::Hours(24 * 365);

// The beginning of the season that was announced.
absl::CivilMonth RemovalMonth(bool online) {
  return online ? absl::CivilMonth(2027, 12) : absl::CivilMonth(2028, 9);
}

}  // namespace

absl::StatusOr<std::string> ReadVersion(const boost::json::value& answer) {
  const boost::json::object* object = answer.if_object();
  std::string_view text;
  if (object != nullptr) text = TextMember(*object, "server_serie");
  if (object != nullptr && text.empty()) text = TextMember(*object, "version");
  // "19.0-20251001", "saas~19.1+e": what follows is the build.
  text = text.substr(0, text.find_first_of("-+"));
  if (text.empty() || text.size() > kMaxVersionBytes) {
    return MakeError(ErrorKind::kGarbage, "version: the answer names none");
  }
  return SafeText(text);
}

int MajorVersion(std::string_view version) {
  if (version.starts_with(kSaas)) version.remove_prefix(kSaas.size());
  int major = 0;
  return absl::SimpleAtoi(std::string(version.substr(0, version.find('.'))), &major) ? major : 0;
}

std::string_view ProtocolName(OdooProtocol protocol) {
  switch (protocol) {
    case OdooProtocol::kJsonRpc:
      return "JSON-RPC";
    case OdooProtocol::kJson2:
      return "JSON-2";
    case OdooProtocol::kAuto:
      break;
  }
  return "not chosen yet";
}

bool IsOdooOnline(std::string_view url) {
  const auto parsed = ParseUrl(url);
  return parsed.ok() && parsed->host.ends_with(".odoo.com");
}

std::string ProtocolWarning(std::string_view version, OdooProtocol in_use, std::string_view url,
                            absl::Time now) {
  if (in_use != OdooProtocol::kJsonRpc) return "";
  const bool online = IsOdooOnline(url);
  const absl::CivilMonth month = RemovalMonth(online);
  const absl::Time removal = absl::FromCivil(month, absl::UTCTimeZone());
  const std::string when =
      fmt::format("{} from {:04}-{:02} on", online ? "Odoo Online drops it" : "Odoo 22 drops it",
                  month.year(), month.month());
  if (MajorVersion(version) >= kFirstWithJson2) {
    return fmt::format(
        "JSON-RPC is in use although this Odoo has JSON-2: {}. JSON-2 wants an API key, no "
        "password, "
        "and the path /json/2 open in any proxy",
        when);
  }
  if (now + kNear < removal) return "";
  return fmt::format("JSON-RPC is in use: {}. Upgrade to Odoo 19 or later before", when);
}

}  // namespace poller::odoo
