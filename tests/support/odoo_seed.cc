// What a fresh database of the simulated Odoo holds. Ids are those of a real one where that is
// known.
#include <boost/json/object.hpp>

#include "tests/support/odoo_database.h"

namespace poller::test {

void SimDatabase::Seed() {
  Insert("res.company", 1, {{"name", "YourCompany"}});
  Insert("product.pricelist", 2, {{"name", "Default USD pricelist (USD)"}});
  Insert("product.category", 1, {{"name", "All"}});
  Insert("uom.uom", 1, {{"name", "Units"}, {"factor", 1.0}, {"rounding", 0.01}});
  Insert("uom.uom", 12, {{"name", "kg"}, {"factor", 1.0}, {"rounding", 0.01}});
  const struct {
    RecordId id;
    const char* name;
    const char* symbol;
    int digits;
    const char* position;
  } currencies[] = {{1, "USD", "$", 2, "before"},   {126, "EUR", "€", 2, "after"},
                    {144, "GBP", "£", 2, "before"}, {45, "CLP", "$", 0, "before"},
                    {8, "COP", "$", 2, "before"},   {25, "JPY", "¥", 0, "before"}};
  for (const auto& currency : currencies) {
    Insert("res.currency", currency.id,
           {{"name", currency.name},
            {"symbol", currency.symbol},
            {"decimal_places", currency.digits},
            {"rounding", currency.digits == 0 ? 1.0 : 0.01},
            {"position", currency.position}});
  }
  const struct {
    RecordId id;
    const char* code;
    const char* name;
  } countries[] = {{46, "CL", "Chile"},  {49, "CO", "Colombia"}, {57, "DE", "Germany"},
                   {113, "JP", "Japan"}, {156, "MX", "Mexico"},  {233, "US", "United States"}};
  for (const auto& country : countries) {
    Insert("res.country", country.id, {{"code", country.code}, {"name", country.name}});
  }
  Insert("res.country.state", 13, {{"code", "CA"}, {"name", "California"}, {"country_id", 233}});
  Insert("res.country.state", 1185,
         {{"code", "13"}, {"name", "Metropolitana"}, {"country_id", 46}});
  Insert("res.country.state", 1214, {{"code", "DC"}, {"name", "D.C."}, {"country_id", 49}});
  Insert("account.tax", 3,
         {{"name", "19%"}, {"amount", 19.0}, {"amount_type", "percent"}, {"price_include", false}});
  Insert("res.users", 1,
         {{"name", "OdooBot"}, {"login", "__system__"}, {"active", false}, {"company_id", 1}});
  AddUser({.login = "admin", .api_key = "admin-key", .password = "admin", .uid = 2});
}

}  // namespace poller::test
