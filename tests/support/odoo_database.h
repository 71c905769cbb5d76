// One database of the simulated Odoo: users, records, transactions, and all that people do to sale
// orders. What each act does to `write_date` is what real Odoo does.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/support/odoo_schema.h"
#include "tests/support/odoo_store.h"

namespace poller::test {

enum class Rights {
  kAll,           // every order of the user's companies
  kOwnDocuments,  // orders whose salesperson they are, or nobody is: others do not exist for them
  kNone,          // no access to sale.order and sale.order.line
};

struct UserSpec {
  std::string login;
  std::string api_key;        // "" is no key
  std::string password = "";  // "" is no password
  Rights rights = Rights::kAll;
  std::vector<RecordId> companies = {1};
  RecordId uid = 0;  // 0: the next free one
  absl::Time key_expires = absl::InfiniteFuture();
};

struct SimUser {
  UserSpec spec;
  bool active = true;
};

struct PartnerSpec {
  std::string name;  // "" for a nameless address of `parent_id`
  RecordId parent_id = 0;
  bool is_company = false;
  std::string type = "contact";  // or "delivery", "invoice", "other"
  std::string street = "", street2 = "", zip = "", city = "";
  RecordId state_id = 0, country_id = 0;
  std::string phone = "", mobile = "", email = "", vat = "";
};

struct ProductSpec {
  std::string name;
  std::string default_code = "";
  std::string barcode = "";
  double price = 0;
  std::string type = "consu";
  // The values of a variant, such as {{"Size", "XL"}, {"Colour", "Red"}}.
  std::vector<std::pair<std::string, std::string>> attributes = {};
  RecordId template_id = 0;        // a template that exists; 0: one of its own
  std::string template_code = "";  // of the new template; "": the same as `default_code`
};

struct LineSpec {
  RecordId product_id = 0;
  double quantity = 1;
  std::optional<double> price = std::nullopt;  // else the product's
  double discount = 0;                         // percent
  double tax = 0;                              // percent, not included in the price
  std::string name = "";                       // "": the product's display name
  std::string display_type = "";               // "line_section" or "line_note"
  int sequence = 10;
};

struct OrderSpec {
  RecordId partner_id = 0;
  RecordId shipping_id = 0;  // 0: the partner
  std::vector<LineSpec> lines = {};
  std::string currency = "USD";
  std::string note = "";  // HTML
  std::string client_order_ref = "";
  RecordId user_id = 2;
  RecordId company_id = 1;
};

// What is committed of an order.
struct SimLine {
  RecordId id = 0, product_id = 0;
  std::string name, display_type;
  double quantity = 0, price_unit = 0, discount = 0, price_subtotal = 0, price_total = 0;
  absl::Time write_date;
};
struct SimOrder {
  RecordId id = 0, partner_id = 0, shipping_id = 0;
  std::string name, state, note, client_order_ref, currency;
  absl::Time write_date, date_order;  // write_date with its microseconds
  double amount_untaxed = 0, amount_tax = 0, amount_total = 0;
  std::vector<SimLine> lines;
};

// Something wrong with one record: any call that reads more of it than id, state and dates meets
// it.
struct RecordFault {
  // kForbidden: AccessError for the whole call. kLeftOut: reads pass over it without a word, as a
  // module that overrides them may.
  enum class Kind { kForbidden, kError, kSlow, kHang, kLeftOut };
  Kind kind = Kind::kForbidden;
  std::string name = "odoo.exceptions.UserError";  // of a kError, with its message
  std::string message = "the record is broken";
  absl::Duration delay = absl::ZeroDuration();  // of a kSlow
};

// A transaction that was begun; {0} stands for one of its own, committed at once.
struct Tx {
  std::uint64_t id = 0;
};

// Thread-safe. Acts return
//   kNotFound: no such record is visible to the transaction,
//   kFailedPrecondition: Odoo refuses it in that state,
//   kAborted: another transaction has changed the row: roll back and try again, as Odoo does by
//   itself.
// An unknown transaction, and creation with ids that do not exist, abort the program.
class SimDatabase {
 public:
  struct Options {
    std::string name;
    int version = 17;
    std::function<absl::Time()> clock;  // of the database server
    bool seed =
        true;  // currencies, countries, units, a company, and the user admin / admin-key with uid 2
    bool is_odoo = true;  // false: a PostgreSQL database that holds something else
  };
  explicit SimDatabase(Options options);

  const std::string& name() const { return options_.name; }
  const Schema& schema() const { return *schema_; }
  bool is_odoo() const { return options_.is_odoo; }
  absl::Time Now() const { return options_.clock(); }

  // The same data in another version of Odoo. Fields that were renamed keep their content, those
  // that it lacks are gone. Nobody may use the database meanwhile; no transaction may be open.
  void Upgrade(int version);

  // Transactions. All that one writes carries the time of its `Begin` as write_date and is seen by
  // nobody else until `Commit`.
  Tx Begin();
  void Commit(Tx tx);
  void Rollback(Tx tx);

  // Records.
  RecordId AddPartner(const PartnerSpec& spec, Tx tx = {});
  RecordId AddProduct(const ProductSpec& spec, Tx tx = {});
  // A draft.
  RecordId CreateOrder(const OrderSpec& spec, Tx tx = {});
  RecordId CreateConfirmedOrder(const OrderSpec& spec, Tx tx = {});
  // Puts a committed record there as it is, with what RPC would serve for it. For recorded data.
  void Insert(std::string_view model, RecordId id, const boost::json::object& values);

  // Acts on orders. Those of the first block move the order's write_date.
  absl::Status ConfirmOrder(
      RecordId order, Tx tx = {});  // from draft, sent; moves the lines too, as cancel and draft do
  absl::Status CancelOrder(RecordId order, Tx tx = {});
  absl::Status DraftOrder(RecordId order, Tx tx = {});  // from cancel
  absl::Status Reconfirm(RecordId order,
                         Tx tx = {});  // cancelled: draft and confirm in one transaction
  absl::Status LockOrder(RecordId order, Tx tx = {});
  absl::Status UnlockOrder(RecordId order, Tx tx = {});
  absl::Status TouchOrder(RecordId order, Tx tx = {});  // a write without a change
  absl::Status EditOrderRef(RecordId order, const std::string& client_order_ref, Tx tx = {});
  absl::Status EditNote(RecordId order, const std::string& html, Tx tx = {});
  absl::StatusOr<RecordId> AddLine(RecordId order, const LineSpec& line, Tx tx = {});
  // These move it when the totals change (before 18 always).
  absl::Status EditLinePrice(RecordId line, double price, Tx tx = {});
  absl::Status EditLineQuantity(RecordId line, double quantity, Tx tx = {});
  // These do not (notes: from 18 on).
  absl::Status EditLineDescription(RecordId line, const std::string& text, Tx tx = {});
  absl::Status EditLineSequence(RecordId line, int sequence, Tx tx = {});
  absl::Status EditLineDelivered(RecordId line, double quantity, Tx tx = {});
  absl::StatusOr<RecordId> AddNoteLine(RecordId order, const std::string& text, Tx tx = {});
  absl::Status DeleteNoteLine(RecordId line, Tx tx = {});
  absl::Status EditPartner(RecordId partner, std::string_view field,
                           const boost::json::value& value, Tx tx = {});
  absl::Status EditProduct(RecordId product, std::string_view field,
                           const boost::json::value& value, Tx tx = {});
  absl::Status ArchiveProduct(RecordId product, Tx tx = {});
  absl::Status ArchivePartner(RecordId partner, Tx tx = {});
  // From draft or cancel. Nothing of it stays.
  absl::Status DeleteOrder(RecordId order, Tx tx = {});
  // Writes fields of one record as they are; the record's write_date moves, nothing is computed
  // anew.
  absl::Status Write(std::string_view model, RecordId id, const boost::json::object& values,
                     Tx tx = {});

  // What is committed.
  std::optional<SimOrder> FindOrder(RecordId order) const;
  std::vector<SimOrder> Orders() const;
  std::vector<SimOrder> ConfirmedOrders() const;                             // state sale or done
  RecordId FindByName(std::string_view model, std::string_view name) const;  // 0: none

  // Users.
  RecordId AddUser(const UserSpec& spec);
  void SetRights(const std::string& login, Rights rights);
  // "": revoked. After `expires` it is refused.
  void SetKey(const std::string& login, const std::string& api_key,
              absl::Time expires = absl::InfiniteFuture());
  void SetActive(const std::string& login, bool active);
  RecordId AddCompany(const std::string& name);
  std::optional<SimUser> FindUser(RecordId uid) const;
  // Whose API key that is, as JSON-2 asks.
  std::optional<SimUser> FindUserByKey(std::string_view key) const;
  // The uid, or 0 where Odoo answers false.
  RecordId Authenticate(std::string_view login, std::string_view secret) const;
  bool CheckSecret(RecordId uid, std::string_view secret) const;

  // Faults of records.
  void SetRecordFault(std::string_view model, RecordId id, RecordFault fault);
  void ClearRecordFaults();

  // Runs `read` on one consistent state: what one RPC transaction sees. `read` must not call this
  // object otherwise.
  using Faults = std::map<RowKey, RecordFault>;
  void ReadOnly(const std::function<void(const StoreView&, const Faults&)>& read) const;

 private:
  class Work;
  friend class Work;
  absl::Status EditLineAmount(RecordId line, std::string_view field, double value, Tx tx);
  absl::Status Run(Tx tx, const std::function<absl::Status(Work&)>& act);
  void Seed();
  void WriteKey(const UserSpec& user);
  bool IsKey(const SimUser& user, std::string_view key) const;

  Options options_;
  std::unique_ptr<const Schema> schema_;
  mutable std::mutex mu_;
  std::unique_ptr<Store> store_ ABSL_GUARDED_BY(mu_);
  std::uint64_t next_tx_ ABSL_GUARDED_BY(mu_) = 1;
  std::map<std::uint64_t, Overlay> open_ ABSL_GUARDED_BY(mu_);
  std::map<RecordId, SimUser> users_ ABSL_GUARDED_BY(mu_);
  Faults faults_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poller::test
