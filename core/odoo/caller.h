// Calls Odoo as one user: logs in, sends, decodes, and makes errors safe to show.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/async/task.h"
#include "core/http/http_client.h"
#include "core/odoo/codec.h"
#include "core/odoo/odoo_client.h"

namespace poller::odoo {

// Used by one coroutine at a time. All errors carry an ErrorKind, are cut to 2 KiB and hold no
// secret.
class Caller {
 public:
  // `http` outlives the caller.
  Caller(HttpClient& http, Target target, Session session);

  // Asks for the version. Where the target leaves the protocol to us, it is chosen anew: JSON-2 from
  // 19 on if it takes our key, or if there is nothing else.
  Task<absl::StatusOr<std::string>> Version();
  Task<absl::Status> Login();
  // Chooses the protocol first where none is known, logs in where no uid is, and once more where the
  // call is refused for the user. Where the protocol is gone, another is looked for, once. The
  // context that the target asks for is added to the arguments.
  Task<absl::StatusOr<boost::json::value>> Execute(Call call);

  const Session& session() const { return session_; }
  std::optional<absl::Time> last_date() const { return last_date_; }
  // The first Date header seen since ForgetFirstDate.
  std::optional<absl::Time> first_date() const { return first_date_; }
  void ForgetFirstDate() { first_date_.reset(); }

 private:
  using Answer = absl::StatusOr<boost::json::value>;
  bool MayChoose() const { return target_.protocol == OdooProtocol::kAuto; }
  void Use(OdooProtocol protocol);
  Task<absl::StatusOr<std::string>> AskVersion(OdooProtocol protocol);
  Task<absl::StatusOr<std::string>> Choose();
  Task<absl::Status> PreferJson2();
  // A protocol is in use when this is OK.
  Task<absl::Status> NeedProtocol();
  // After a call found its protocol gone: true if another one is in use now.
  Task<bool> FindAnother();
  // Sends and decodes. `what` names the call in an error.
  Task<absl::StatusOr<boost::json::value>> Exchange(HttpRequest request, std::string what);
  void NoteDate(const HttpResponse& response);
  absl::Status Safe(const absl::Status& status, const std::string& what) const;

  HttpClient& http_;
  Target target_;
  Session session_;
  std::unique_ptr<Codec> codec_;
  std::optional<absl::Time> last_date_, first_date_;
};

}  // namespace poller::odoo
