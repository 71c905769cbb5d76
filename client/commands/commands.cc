#include "client/commands/commands.h"

namespace poller::client {

// The order in which the help lists them.
void RegisterAll(Registry& registry) {
  RegisterConnections(registry);
  RegisterOperate(registry);
  RegisterRotate(registry);
  RegisterWatch(registry);
  RegisterOrders(registry);
  RegisterSend(registry);
  RegisterRetries(registry);
  RegisterJobs(registry);
  RegisterStatus(registry);
  RegisterTop(registry);
  RegisterTokens(registry);
}

}  // namespace poller::client
