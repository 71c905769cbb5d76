// Which fields we want of which model, and which of them an Odoo has.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/odoo/codec.h"

namespace poller::odoo {

struct ModelFields {
  std::string model;
  std::vector<std::string>
      required;  // identity and SKU hang on them: without them nothing is right
  std::vector<std::string> optional;  // left out where a version or a database lacks them
};

const ModelFields& OrderFields();
const ModelFields& LineFields();
const ModelFields& PartnerFields();
const ModelFields& ProductFields();
const ModelFields& TemplateFields();
const ModelFields& AttributeValueFields();

// Asks which of the fields there are.
Call FieldsGet(const ModelFields& wanted);
// Those that the answer to FieldsGet has. kQuery with the reason "fields" names the required ones
// that are missing; kGarbage if the answer is none.
absl::StatusOr<std::vector<std::string>> ChooseFields(const ModelFields& wanted,
                                                      const boost::json::value& answer);

}  // namespace poller::odoo
