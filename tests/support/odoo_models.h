// The field lists behind Schema.
#pragma once

#include <vector>

#include "tests/support/odoo_schema.h"

namespace poller::test {

// Every model of that version; `number` and `index` are filled in by Schema.
std::vector<ModelDef> AllModels(int version);

}  // namespace poller::test
