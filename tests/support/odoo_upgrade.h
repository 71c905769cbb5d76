// What an upgrade makes of the data of a simulated Odoo.
#pragma once

#include "tests/support/odoo_store.h"

namespace poller::test {

// Copies all rows into `to`, which is empty and of another version. Fields that were renamed keep
// their content, those that it lacks are gone; ids go on where they were.
void CopyUpgraded(Store& from, Store& to);

}  // namespace poller::test
