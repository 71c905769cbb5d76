// A sale order in our own form: what is read from Odoo, free of Odoo's conventions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/model/ids.h"

namespace poller {

struct PostalAddress {
  std::string street, street2, city, state, zip, country;  // state and country: display names
  friend bool operator==(const PostalAddress&, const PostalAddress&) = default;
};

struct Party {
  std::string name, email, phone, tax_id;
  PostalAddress address;
  friend bool operator==(const Party&, const Party&) = default;
};

struct OrderItem {
  std::string sku, name, variant;
  double quantity = 0, unit_price = 0, subtotal = 0, total = 0,
         discount_percent = 0;  // Odoo's numbers, unrounded
  std::int64_t product_id = 0;  // 0: a line without product
  std::int64_t line_id = 0;
  friend bool operator==(const OrderItem&, const OrderItem&) = default;
};

struct Order {
  OrderId id;
  std::string name;
  std::string state;                   // Odoo's word: "sale", "done", "cancel"
  std::string date_order, write_date;  // as Odoo writes them, UTC
  double amount_untaxed = 0, amount_tax = 0, amount_total = 0;
  std::string currency, note, client_order_ref;
  Party customer, shipping;
  std::vector<OrderItem> items;
  friend bool operator==(const Order&, const Order&) = default;
};

}  // namespace poller
