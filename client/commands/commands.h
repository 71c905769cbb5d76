// All verbs, by group.
#pragma once

#include "client/registry.h"

namespace poller::client {

void RegisterConnections(Registry& registry);  // add, list, show, edit, delete
void RegisterOperate(Registry& registry);      // pause, resume, test, poll, reset-circuit
void RegisterWatch(Registry& registry);        // events, logs
void RegisterRetries(Registry& registry);      // retries, retry, discard
void RegisterOrders(Registry& registry);       // orders, order
void RegisterSend(Registry& registry);         // send
void RegisterJobs(Registry& registry);         // backfill, reconcile, jobs
void RegisterStatus(Registry& registry);       // status, backup, version

void RegisterAll(Registry& registry);

// Names of the groups in the help.
inline constexpr const char* kShops = "Shops";
inline constexpr const char* kOrders = "Orders";
inline constexpr const char* kServer = "Server";

}  // namespace poller::client
