// What the server names in an error is said as what the person typed.
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "client/errors.h"
#include "tests/unit/client/client_fixture.h"

namespace poller::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Every field and every oneof of `message`, as a violation would name it.
void Collect(const Descriptor& message, const std::string& prefix, std::set<std::string>& paths) {
  for (int i = 0; i < message.real_oneof_decl_count(); ++i) {
    // A ConnectionRef is named as a whole.
    if (message.name() != "ConnectionRef") paths.insert(prefix + message.oneof_decl(i)->name());
  }
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const std::string path = prefix + field.name();
    const Descriptor* inner = field.message_type();
    paths.insert(path);
    const bool ours = inner != nullptr && inner->file()->package() == "odoopoller.v1";
    if (ours && inner->name() != "ConnectionState" && inner->name() != "ConnectionRef")
      Collect(*inner, path + ".", paths);
  }
}

std::set<std::string> RequestFields() {
  std::set<std::string> paths;
  for (const google::protobuf::FileDescriptor* file :
       {api::CreateConnectionRequest::descriptor()->file(),
        api::ListSyncLogsRequest::descriptor()->file(),
        api::ListRetriesRequest::descriptor()->file(), api::ListOrdersRequest::descriptor()->file(),
        api::ListJobsRequest::descriptor()->file(),
        api::GetServerStatusRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j)
        Collect(*file->service(i)->method(j)->input_type(), "", paths);
    }
  }
  return paths;
}

// What no person types: set by the client, or by nobody.
const std::set<std::string>& NotTyped() {
  static const auto* const fields = new std::set<std::string>{
      "connection.id",
      "connection.uid",
      "connection.etag",
      "connection.state",
      "etag",
      "connection.create_time",
      "connection.update_time",
      "connection.odoo",
      "connection.odoo.has_api_key",
      "connection.webhook",
      "connection.webhook.has_secret",
      "connection.webhook.rotation_end_time",
      "kind",
      "log_id",
      "page_token",
      "request_id",
      "update_mask",
  };
  return *fields;
}

class FieldFlagsTest : public ClientTest {};

TEST_F(FieldFlagsTest, EveryFieldOfEveryRequestIsNamedAsItIsTyped) {
  for (const std::string& path : RequestFields()) {
    const bool named = FlagOf(path) != path;
    EXPECT_NE(named, NotTyped().contains(path))
        << path << ": add it to kFlags in client/errors.cc, or here if nobody types it";
  }
}

TEST_F(FieldFlagsTest, EveryFlagThatIsNamedExists) {
  std::string help;
  for (const char* verb :
       {"add", "edit", "list", "delete", "pause", "rotate-secret", "events", "retries", "retry",
        "discard", "orders", "order", "send", "backfill", "reconcile", "jobs", "backup"})
    help += Run({verb, "--help"}).out;
  help += Run({"token", "create", "--help"}).out;
  for (const std::string& path : RequestFields()) {
    if (NotTyped().contains(path)) continue;
    const std::string flag = FlagOf(path);
    for (std::size_t at = flag.find('-'); at != std::string::npos;) {
      const std::size_t end = std::min(flag.find_first_of(" ,", at), flag.size());
      EXPECT_THAT(help, testing::HasSubstr(flag.substr(at, end - at))) << path;
      at = flag.find(" -", end);
      if (at != std::string::npos) ++at;
    }
  }
}

TEST_F(FieldFlagsTest, TheSameWordInTwoRequestsIsToldApart) {
  EXPECT_EQ(FlagOf("name"), "NAME");
  EXPECT_EQ(FlagOf("connection.name"), "--name");
  EXPECT_EQ(SettingFlag("name"), "--name");
  server.admin.script_BackupDatabase.answer = [](const auto&, auto&) {
    return ServerError(grpc::StatusCode::INVALID_ARGUMENT, "a field is wrong", "INVALID_FIELDS",
                       {{"name", "must be a file name"}});
  };
  EXPECT_THAT(Run({"backup", "a/b"}).err, testing::HasSubstr("\n  NAME: must be a file name\n"));
}

}  // namespace
}  // namespace poller::client
