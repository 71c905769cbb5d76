// A Python exception that Odoo answers with.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace poller::test {

// Thrown where Python raises, caught where Odoo catches: in the codec that writes the answer.
// Nothing outside the simulator sees it.
class OdooError : public std::runtime_error {
 public:
  // `name` as the wire has it: "builtins.ValueError", "odoo.exceptions.AccessError".
  OdooError(std::string name, const std::string& message)
      : std::runtime_error(message), name_(std::move(name)) {}
  const std::string& name() const { return name_; }
  std::string message() const { return what(); }

 private:
  std::string name_;
};

inline OdooError ValueError(const std::string& message) { return {"builtins.ValueError", message}; }
inline OdooError TypeError(const std::string& message) { return {"builtins.TypeError", message}; }
inline OdooError AccessError(const std::string& message) {
  return {"odoo.exceptions.AccessError", message};
}
inline OdooError UserError(const std::string& message) {
  return {"odoo.exceptions.UserError", message};
}

}  // namespace poller::test
