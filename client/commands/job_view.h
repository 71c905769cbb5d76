// Jobs as a person reads them.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <string>

#include "client/session.h"
#include "odoopoller/v1/job.pb.h"

namespace poller::client {

// "backfill", "reconcile".
std::string KindName(api::JobKind kind);
// "queued", "running", "succeeded", "failed", "cancelled".
std::string StateName(api::JobState state);
// The same in its colour; "waiting" if it stands still.
Cell StateCell(const api::Job& job);
bool IsOver(const api::Job& job);
// "backfill 7".
std::string Named(const api::Job& job);
// One line: "120 of 300 orders, 100 enqueued, 20 unchanged, waits for the backlog".
std::string ProgressText(const api::Job& job);
// "orders dated from 2026-01-01T00:00:00.000Z", "all orders".
std::string RangeText(const api::Job& job);

void PrintJobs(Session& session, const google::protobuf::RepeatedPtrField<api::Job>& jobs);
// What a difference means, in words.
std::string DifferenceText(const std::string& what);
// The orders that differ, under an empty line; nothing if there are none.
void PrintDifferences(Session& session, const api::JobProgress& progress);
// All of one, with the differences that it found.
void PrintJob(Session& session, const api::Job& job);

}  // namespace poller::client
