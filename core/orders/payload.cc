#include "core/orders/payload.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "core/base/status.h"
#include "core/base/text.h"
#include "core/crypto/encoding.h"
#include "core/crypto/hash.h"

// The content is the body in pieces, one a line (JSON in compact form holds no line break):
//
//   1                                                  the form of the content
//   "odoo_db":"shop1","order":{"id":42, … ,"state":
//   "sale"                                             replaced when the order is cancelled
//   ,"date_order": … ,"client_order_ref":""            the revision follows
//   },"customer":{ … },"shipping_address":{ … },"items":[ … ]}
//
// RenderBody puts the pieces together and computes nothing: a later program sends the same bytes.

namespace poller {
namespace {

constexpr std::string_view kContentForm = "1";
constexpr std::string_view kHashVersion = "1:";
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kPieces = 5;

// Escapes what JSON demands and nothing more. Bad bytes become U+FFFD: the body is always UTF-8.
void AppendText(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : ToValidUtf8(text)) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (const auto byte = static_cast<unsigned char>(c); byte < 0x20) {
          out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 0xF]});
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

// Writes the members of one object in the order of the calls.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void End() { out_ += '}'; }

  ObjectWriter& Text(std::string_view name, std::string_view value) {
    Name(name);
    AppendText(out_, value);
    return *this;
  }
  ObjectWriter& Number(std::string_view name, double value) {
    Name(name);
    out_ += PlainDecimal(value);
    return *this;
  }
  ObjectWriter& Whole(std::string_view name, std::int64_t value) {
    Name(name);
    out_ += std::to_string(value);
    return *this;
  }
  // The value follows by hand.
  ObjectWriter& Name(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    AppendText(out_, name);
    out_ += ':';
    return *this;
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void AppendParty(std::string& out, const Party& party) {
  ObjectWriter writer(out);
  writer.Text("name", party.name)
      .Text("email", party.email)
      .Text("phone", party.phone)
      .Text("tax_id", party.tax_id)
      .Name("address");
  ObjectWriter address(out);
  address.Text("street", party.address.street)
      .Text("street2", party.address.street2)
      .Text("city", party.address.city)
      .Text("state", party.address.state)
      .Text("zip", party.address.zip)
      .Text("country", party.address.country);
  address.End();
  writer.End();
}

void AppendItem(std::string& out, const OrderItem& item) {
  ObjectWriter writer(out);
  writer.Text("sku", item.sku)
      .Text("name", item.name)
      .Text("variant", item.variant)
      .Number("quantity", item.quantity)
      .Number("unit_price", item.unit_price)
      .Number("subtotal", item.subtotal)
      .Number("total", item.total)
      .Number("discount_percent", item.discount_percent)
      .Whole("odoo_product_id", item.product_id)
      .Whole("odoo_line_id", item.line_id);
  writer.End();
}

std::string HeadPiece(const Order& order, const std::string& database) {
  std::string out = "\"odoo_db\":";
  AppendText(out, database);
  out += ",\"order\":";
  ObjectWriter writer(out);
  writer.Whole("id", order.id.value()).Text("name", order.name).Name("state");
  return out;
}

std::string MiddlePiece(const Order& order, std::string_view write_date) {
  std::string object;
  ObjectWriter writer(object);
  writer.Text("date_order", order.date_order)
      .Text("write_date", write_date)
      .Number("amount_untaxed", order.amount_untaxed)
      .Number("amount_tax", order.amount_tax)
      .Number("amount_total", order.amount_total)
      .Text("currency", order.currency)
      .Text("note", order.note)
      .Text("client_order_ref", order.client_order_ref);
  object[0] = ',';  // the members go on where the state stands
  return object;
}

std::string TailPiece(const Order& order) {
  std::string out = "},\"customer\":";
  AppendParty(out, order.customer);
  out += ",\"shipping_address\":";
  AppendParty(out, order.shipping);
  out += ",\"items\":[";
  bool first = true;
  for (const OrderItem& item : order.items) {
    if (!first) out += ',';
    first = false;
    AppendItem(out, item);
  }
  out += "]}";
  return out;
}

std::string Encode(const Order& order, const std::string& database, std::string_view write_date) {
  std::string state;
  AppendText(state, order.state);
  std::string out(kContentForm);
  for (const std::string& piece :
       {HeadPiece(order, database), state, MiddlePiece(order, write_date), TailPiece(order)}) {
    out.append(1, '\n').append(piece);
  }
  return out;
}

std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (lines.size() < kPieces) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == text.npos) return lines;
    text.remove_prefix(end + 1);
  }
  lines.push_back(text);  // one too many
  return lines;
}

}  // namespace

std::string PlainDecimal(double value) {
  if (value == 0) return "0.0";  // the sign of zero says nothing, and must not make a new revision
  std::array<char, 64> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                    std::chars_format::scientific);
  // "-1.2345e+02": the digits are the fewest that read back equal.
  std::string_view text(buffer.data(), static_cast<std::size_t>(result.ptr - buffer.data()));
  std::string out;
  if (text.front() == '-') {
    out = "-";
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  const int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
  std::string digits(1, text.front());
  if (e > 2) digits += text.substr(2, e - 2);
  const int whole = exponent + 1;  // digits before the point
  const int count = static_cast<int>(digits.size());
  if (whole <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-whole), '0').append(digits);
  } else if (whole >= count) {
    out.append(digits).append(static_cast<std::size_t>(whole - count), '0').append(".0");
  } else {
    out.append(digits, 0, static_cast<std::size_t>(whole)).append(".");
    out.append(digits, static_cast<std::size_t>(whole));
  }
  return out;
}

std::string EncodeContent(const Order& order, const std::string& database) {
  return Encode(order, database, order.write_date);
}

std::string ContentHash(const Order& order, const std::string& database) {
  const std::string content = Encode(order, database, "");
  return std::string(kHashVersion) + HexEncode(Blake2b(content, kHashBytes));
}

absl::StatusOr<std::string> RenderBody(std::string_view content, std::string_view event,
                                       std::string_view webhook_connection_id, int revision) {
  const std::vector<std::string_view> pieces = SplitLines(content);
  if (pieces.size() != kPieces || pieces[0] != kContentForm ||
      !pieces[1].starts_with("\"odoo_db\":") || !pieces[2].starts_with('"') ||
      !pieces[3].starts_with(",\"date_order\":") || !pieces[4].starts_with("},\"customer\":") ||
      !pieces[4].ends_with("]}")) {
    return MakeStatus(absl::StatusCode::kDataLoss,
                      "the stored content of an order is damaged, or of a later version");
  }
  std::string body;
  body.reserve(content.size() + 160);
  body += "{\"event\":";
  AppendText(body, event);
  body += ",\"source\":\"odoo\",\"connection_id\":";
  AppendText(body, webhook_connection_id);
  body.append(",").append(pieces[1]);
  body += event == "order.cancelled" ? std::string_view("\"cancel\"") : pieces[2];
  body.append(pieces[3]).append(",\"revision\":").append(std::to_string(revision));
  body += pieces[4];
  return body;
}

}  // namespace poller
