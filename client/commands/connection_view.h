// How connections look.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <string>

#include "client/output/table.h"
#include "client/session.h"

namespace poller::client {

// "healthy", "suspended", ... in its colour; what is paused is said.
Cell HealthCell(const api::Connection& connection);
// What is wrong in one line; empty: nothing.
std::string Problem(const api::Connection& connection);

void PrintConnections(Session& session,
                      const google::protobuf::RepeatedPtrField<api::Connection>& connections);
void PrintConnection(Session& session, const api::Connection& connection);

// "connection 3 (shop1)".
std::string Named(const api::Connection& connection);

// "3m ago", or "-" if it is unset (0).
std::string Ago(const Session& session, const google::protobuf::Timestamp& time);

}  // namespace poller::client
