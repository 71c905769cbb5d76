// All verbs, by group.
#pragma once

#include <string>
#include <vector>

#include "client/registry.h"
#include "client/settings.h"

namespace poller::client {

void RegisterConnections(Registry& registry);  // add, list, show, edit, delete
void RegisterOperate(Registry& registry);      // pause, resume, test, poll, reset-circuit
void RegisterRotate(Registry& registry);       // rotate-secret
void RegisterWatch(Registry& registry);        // events, logs
void RegisterRetries(Registry& registry);      // retries, retry, discard
void RegisterOrders(Registry& registry);       // orders, order
void RegisterSend(Registry& registry);         // send
void RegisterJobs(Registry& registry);         // backfill, reconcile, jobs
void RegisterStatus(Registry& registry);       // status, backup, version
void RegisterTop(Registry& registry);          // top
void RegisterTokens(Registry& registry);       // token

void RegisterAll(Registry& registry);

// context. `flags` outlive the registry.
void RegisterContexts(Registry& registry, const GlobalFlags& flags);
void RegisterCompletion(Registry& registry);  // completion

// What `pollerctl __complete WORDS...` answers to the scripts of `completion`.
int Complete(const CLI::App& app, std::vector<std::string> words, Io& io);

// Names of the groups in the help.
inline constexpr const char* kShops = "Shops";
inline constexpr const char* kOrders = "Orders";
inline constexpr const char* kServer = "Server";
inline constexpr const char* kClient = "This client";

}  // namespace poller::client
