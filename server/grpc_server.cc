#include "server/grpc_server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "core/base/status.h"
#include "grpc/health/v1/health.pb.h"
#include "server/files.h"
#include "server/listen_address.h"

namespace poller {
namespace {

constexpr int kMaxReceive = 4 << 20;
constexpr int kMaxSend = 16 << 20;
// Calls of one connection at a time. More than one token may have: an honest client learns from us
// that it asks for too much, instead of waiting in its own queue.
constexpr int kMaxStreamsPerTransport = 2000;

absl::Status CheckTlsFile(std::string_view flag, const std::filesystem::path& path,
                          std::string_view marker) {
  const auto content = ReadSmallFile(path);
  if (!content.ok())
    return MakeStatus(absl::StatusCode::kInvalidArgument,
                      std::string(flag) + ": " + std::string(Message(content.status())));
  if (content->Reveal().find(marker) != std::string::npos) return absl::OkStatus();
  return MakeStatus(absl::StatusCode::kInvalidArgument,
                    std::string(flag) + ": " + path.string() + " is not what it should be: no " +
                        std::string(marker) + " in it (PEM is expected)");
}

// Serves with the files as they are now, on a port of its own, to see whether they fit: the
// credentials that follow the files would only fail at each handshake.
absl::Status TryTls(const Options& options) {
  ASSIGN_OR_RETURN(const Secret certificate, ReadSmallFile(options.tls_cert));
  ASSIGN_OR_RETURN(const Secret key, ReadSmallFile(options.tls_key));
  grpc::SslServerCredentialsOptions pair;
  pair.pem_key_cert_pairs.push_back({key.Reveal(), certificate.Reveal()});
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(pair), &port);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  for (auto& used : pair.pem_key_cert_pairs) WipeString(used.private_key);
  if (server != nullptr && port > 0) return absl::OkStatus();
  return MakeStatus(absl::StatusCode::kInvalidArgument,
                    "--tls-cert " + options.tls_cert.string() + " and --tls-key " +
                        options.tls_key.string() + " do not belong together, or one is damaged");
}

// gRPC reads the files again by itself; a file that is wrong at the start must not be found out at
// the first handshake.
absl::Status CheckTlsFiles(const Options& options) {
  RETURN_IF_ERROR(CheckTlsFile("--tls-cert", options.tls_cert, "-----BEGIN CERTIFICATE-----"));
  RETURN_IF_ERROR(CheckTlsFile("--tls-key", options.tls_key, "PRIVATE KEY-----"));
  RETURN_IF_ERROR(TryTls(options));
  if (options.tls_client_ca.empty()) return absl::OkStatus();
  return CheckTlsFile("--tls-client-ca", options.tls_client_ca, "-----BEGIN CERTIFICATE-----");
}

std::shared_ptr<grpc::ServerCredentials> Credentials(const Options& options,
                                                     const ListenAddress& address) {
  if (address.IsUnix() || options.tls_cert.empty()) return grpc::InsecureServerCredentials();
  namespace tls = grpc::experimental;
  tls::TlsServerCredentialsOptions settings(std::make_shared<tls::FileWatcherCertificateProvider>(
      options.tls_key.string(), options.tls_cert.string(), options.tls_client_ca.string(),
      static_cast<unsigned>(absl::ToInt64Seconds(options.tls_reload))));
  settings.watch_identity_key_cert_pairs();
  if (!options.tls_client_ca.empty()) {
    settings.watch_root_certs();
    settings.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return tls::TlsServerCredentials(settings);
}

// gRPC only says that it failed. A plain socket says why.
std::string WhyNotBound(const ListenAddress& address) {
  if (address.IsUnix())
    return "the socket cannot be made: is its folder there, and may this user write to it?";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error =
          getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
      error != 0) {
    return std::string("the host is not known: ") + gai_strerror(error);
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, freeaddrinfo);
  int error = 0;
  for (const addrinfo* entry = found; entry != nullptr && error == 0; entry = entry->ai_next) {
    const int fd = socket(entry->ai_family, entry->ai_socktype | SOCK_CLOEXEC, entry->ai_protocol);
    if (fd < 0) continue;
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, entry->ai_addr, entry->ai_addrlen) != 0 || listen(fd, 1) != 0) error = errno;
    close(fd);
  }
  const std::string port = std::to_string(address.port);
  if (error == EADDRINUSE) {
    return "port " + port + " is in use: stop what listens there (ss -ltnp 'sport = :" + port +
           "' names it), or give another --listen";
  }
  if (error == EACCES) return "ports below 1024 need a privilege: give another --listen";
  if (error == EADDRNOTAVAIL)
    return "this machine does not have that address: give another --listen";
  return error == 0 ? "it cannot be bound: give another --listen" : strerror(error);
}

absl::Status CannotListen(const std::string& text, const ListenAddress& address) {
  return MakeStatus(absl::StatusCode::kUnavailable,
                    "cannot listen on " + text + ": " + WhyNotBound(address));
}

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

void SetLimits(grpc::ServerBuilder& builder, const KeepaliveOptions& keepalive) {
  builder.SetMaxReceiveMessageSize(kMaxReceive);
  builder.SetMaxSendMessageSize(kMaxSend);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerTransport);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(keepalive.silence));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(keepalive.patience));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Else it would stop asking a client that has nothing to say.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             Milliseconds(keepalive.least_between_pings));
  // Else a second server would share the port, and calls would go to either.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

std::atomic<Logger*> grpc_log = nullptr;

void WriteGrpcLog(gpr_log_func_args* args) {
  Logger* const log = grpc_log;
  if (log != nullptr)
    log->Debug("grpc", {{"text", args->message}, {"file", args->file}, {"line", args->line}});
}

}  // namespace

void SendGrpcLogTo(Logger& log) {
  grpc_log = &log;
  gpr_set_log_function(WriteGrpcLog);
}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(
    const Options& options, const std::vector<grpc::Service*>& services) {
  if (!options.tls_cert.empty()) RETURN_IF_ERROR(CheckTlsFiles(options));
  // Referred to, so that the linker keeps its descriptor: reflection would list the health service
  // and not describe it.
  grpc::health::v1::HealthCheckRequest::descriptor();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();

  auto result = std::unique_ptr<GrpcServer>(new GrpcServer);
  grpc::ServerBuilder builder;
  SetLimits(builder, options.keepalive);
  const std::vector<std::string> texts = options.Listen();
  std::vector<ListenAddress> addresses;
  std::vector<int> ports(texts.size(), 0);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ASSIGN_OR_RETURN(ListenAddress address, ListenAddress::Parse(texts[i]));
    builder.AddListeningPort(texts[i], Credentials(options, address), &ports[i]);
    addresses.push_back(std::move(address));
  }
  for (grpc::Service* service : services) builder.RegisterService(service);
  result->server_ = builder.BuildAndStart();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (ports[i] <= 0) return CannotListen(texts[i], addresses[i]);
    if (addresses[i].IsUnix()) chmod(addresses[i].socket_path.c_str(), S_IRUSR | S_IWUSR);
    result->addresses_.push_back(addresses[i].Text(ports[i]));
  }
  if (result->server_ == nullptr)
    return absl::UnavailableError("gRPC did not start; --log-level debug shows why");
  result->SetServing(false);
  return result;
}

GrpcServer::~GrpcServer() {
  if (server_ != nullptr) server_->Shutdown();
}

void GrpcServer::SetServing(bool serving) {
  auto* const health = server_->GetHealthCheckService();
  if (health == nullptr) return;
  health->SetServingStatus(serving);
  for (const char* const name : {"ConnectionService", "SyncLogService", "RetryQueueService",
                                 "OrderService", "JobService", "AdminService"}) {
    health->SetServingStatus(std::string("odoopoller.v1.") + name, serving);
  }
}

void GrpcServer::Shutdown(absl::Time deadline) { server_->Shutdown(absl::ToChronoTime(deadline)); }

}  // namespace poller
