#include "tests/support/odoo_domain.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "tests/support/odoo_error.h"
#include "tests/support/odoo_value.h"
#include "tests/support/py_json.h"

namespace poller::test {

namespace json = boost::json;

enum class Operator {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kIn,
  kNotIn,
  kLike,
  kNotLike,
  kIlike,
  kNotIlike,
  kEqualLike,
  kEqualIlike,
};

// One step of a dotted path.
struct PathStep {
  const ModelDef* model;
  const FieldDef* field;
};

struct Domain::Node {
  enum class Kind { kTrue, kFalse, kAnd, kOr, kNot, kLeaf };
  Kind kind = Kind::kTrue;
  std::vector<std::unique_ptr<Node>> children;
  // Of a leaf.
  std::vector<PathStep> path;
  Operator op = Operator::kEqual;
  json::value value;
  std::vector<absl::Time> times;  // the value, or each of the list, where the field is a datetime
  absl::flat_hash_set<RecordId> ids;  // the whole numbers of the value
  bool with_empty = false;            // false or null is the value, or in the list
  bool by_seconds = false;            // datetimes compare by whole seconds, as from 18.4 on
};

namespace {

using Node = Domain::Node;

constexpr std::array<std::pair<std::string_view, Operator>, 16> kOperators = {{
    {"=", Operator::kEqual},
    {"==", Operator::kEqual},
    {"!=", Operator::kNotEqual},
    {"<>", Operator::kNotEqual},
    {"<", Operator::kLess},
    {"<=", Operator::kLessOrEqual},
    {">", Operator::kGreater},
    {">=", Operator::kGreaterOrEqual},
    {"in", Operator::kIn},
    {"not in", Operator::kNotIn},
    {"like", Operator::kLike},
    {"not like", Operator::kNotLike},
    {"ilike", Operator::kIlike},
    {"not ilike", Operator::kNotIlike},
    {"=like", Operator::kEqualLike},
    {"=ilike", Operator::kEqualIlike},
}};

std::string LeafRepr(const json::array& leaf) {
  std::string out = "(";
  for (const json::value& item : leaf) out += (out.size() > 1 ? ", " : "") + PyRepr(item);
  return out + ")";
}

std::string Lower(std::string text) {
  // ASCII is what the tests compare.
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// SQL LIKE: % any run, _ any one byte.
bool Like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    for (std::size_t skip = 0; skip <= text.size(); ++skip) {
      if (Like(text.substr(skip), pattern.substr(1))) return true;
    }
    return false;
  }
  if (text.empty() || (pattern[0] != '_' && pattern[0] != text[0])) return false;
  return Like(text.substr(1), pattern.substr(1));
}

class Parser {
 public:
  Parser(const Schema& schema, const ModelDef& model, absl::Time now)
      : schema_(schema), model_(model), now_(now) {}

  std::unique_ptr<Node> Parse(const json::value& domain) {
    if (!domain.is_array()) {
      throw ValueError("Domain() invalid item in domain: " + PyRepr(domain));
    }
    auto root = std::make_unique<Node>();
    root->kind = Node::Kind::kAnd;
    const json::array& tokens = domain.get_array();
    std::size_t at = 0;
    while (at < tokens.size()) root->children.push_back(Term(tokens, at));
    return root;
  }

 private:
  std::unique_ptr<Node> Term(const json::array& tokens, std::size_t& at) {
    if (at >= tokens.size()) throw ValueError("Domain " + PyRepr(tokens) + " is malformed");
    const json::value& token = tokens[at++];
    if (token.is_string()) {
      auto node = std::make_unique<Node>();
      const std::string_view sign(token.get_string());
      if (sign == "!") {
        node->kind = Node::Kind::kNot;
        node->children.push_back(Term(tokens, at));
        return node;
      }
      if (sign != "&" && sign != "|") {
        throw ValueError("Invalid leaf " + PyRepr(token));
      }
      node->kind = sign == "&" ? Node::Kind::kAnd : Node::Kind::kOr;
      node->children.push_back(Term(tokens, at));
      node->children.push_back(Term(tokens, at));
      return node;
    }
    if (!token.is_array()) throw ValueError("Invalid leaf " + PyRepr(token));
    return Leaf(token.get_array());
  }

  std::unique_ptr<Node> Leaf(const json::array& leaf) {
    const bool modern = schema_.version() >= 19;
    if (leaf.size() != 3 || !leaf[1].is_string())
      throw ValueError("Invalid leaf " + LeafRepr(leaf));
    auto node = std::make_unique<Node>();
    if (leaf[0].is_int64() && leaf[2].is_int64()) {  // (1, '=', 1) and (0, '=', 1)
      node->kind = leaf[0] == leaf[2] ? Node::Kind::kTrue : Node::Kind::kFalse;
      return node;
    }
    if (!leaf[0].is_string()) throw ValueError("Invalid leaf " + LeafRepr(leaf));
    const std::string sign = Lower(std::string(leaf[1].get_string()));
    const auto* known = std::find_if(kOperators.begin(), kOperators.end(),
                                     [&](const auto& entry) { return entry.first == sign; });
    if (known == kOperators.end()) {
      throw ValueError((modern ? "Invalid operator in condition " : "Invalid leaf ") +
                       LeafRepr(leaf));
    }
    node->kind = Node::Kind::kLeaf;
    node->op = known->second;
    node->value = leaf[2];
    node->by_seconds = modern;
    Path(leaf, *node);
    Prepare(*node);
    return node;
  }

  void Path(const json::array& leaf, Node& node) {
    std::string_view rest(leaf[0].get_string());
    const ModelDef* model = &model_;
    while (true) {
      const std::size_t dot = rest.find('.');
      const std::string_view name = rest.substr(0, dot);
      const FieldDef* field = model == nullptr ? nullptr : model->Find(name);
      if (field == nullptr) {
        const std::string where = model == nullptr ? model_.name : model->name;
        throw ValueError("Invalid field " + where + "." + std::string(name) +
                         (schema_.version() >= 19 ? " in condition " : " in leaf ") +
                         LeafRepr(leaf));
      }
      node.path.push_back({model, field});
      if (dot == std::string_view::npos) return;
      rest.remove_prefix(dot + 1);
      model = field->relation.empty() ? nullptr : schema_.Find(field->relation);
    }
  }

  void Prepare(Node& node) {
    const json::array single = {node.value};
    const bool list = node.value.is_array();
    for (const json::value& item : list ? node.value.get_array() : single) {
      if (item.is_null() || (item.is_bool() && !item.get_bool())) node.with_empty = true;
      if (item.is_int64()) node.ids.insert(item.get_int64());
      if (node.path.back().field->type == FieldType::kDatetime && item.is_string()) {
        node.times.push_back(Datetime(std::string(item.get_string())));
      }
    }
  }

  absl::Time Datetime(const std::string& text) const {
    const absl::TimeZone utc = absl::UTCTimeZone();
    const absl::Time today = absl::FromCivil(absl::CivilDay(absl::ToCivilDay(now_, utc)), utc);
    const std::optional<ParsedDatetime> parsed = ParseDatetimeText(text);
    if (schema_.version() >= 19) {
      if (parsed.has_value()) {
        if (parsed->has_zone) {
          throw ValueError("expecting only datetimes with no timezone: '" + text + "'");
        }
        return absl::FromUnixSeconds(absl::ToUnixSeconds(parsed->time));
      }
      if (text == "today") return today;
      if (text == "now") return absl::FromUnixSeconds(absl::ToUnixSeconds(now_));
      throw ValueError("Invalid term '" + text + "' in expression date: '" + text + "'");
    }
    if (parsed.has_value()) return parsed->time;
    // PostgreSQL reads these itself.
    if (text == "yesterday") return today - absl::Hours(24);
    if (text == "today") return today;
    if (text == "tomorrow") return today + absl::Hours(24);
    if (text == "now") return now_;
    throw OdooError("psycopg2.errors.InvalidDatetimeFormat",
                    "invalid input syntax for type timestamp: \"" + text + "\"\n");
  }

  const Schema& schema_;
  const ModelDef& model_;
  absl::Time now_;
};

bool CompareTime(const Node& leaf, absl::Time stored) {
  const absl::Time value = leaf.times.empty() ? absl::InfiniteFuture() : leaf.times.front();
  // From 18.4 on a value stands for its whole second.
  const absl::Time end = leaf.by_seconds ? value + absl::Seconds(1) : value;
  const auto equals = [&](absl::Time one) {
    return leaf.by_seconds ? stored >= one && stored < one + absl::Seconds(1) : stored == one;
  };
  const auto listed = [&] { return std::any_of(leaf.times.begin(), leaf.times.end(), equals); };
  switch (leaf.op) {
    case Operator::kGreater:
      return leaf.by_seconds ? stored >= end : stored > value;
    case Operator::kGreaterOrEqual:
      return stored >= value;
    case Operator::kLess:
      return stored < value;
    case Operator::kLessOrEqual:
      return leaf.by_seconds ? stored < end : stored <= value;
    case Operator::kEqual:
    case Operator::kIn:
      return listed();
    case Operator::kNotEqual:
    case Operator::kNotIn:
      return !listed();
    default:
      return false;
  }
}

template <class T>
bool CompareOrdered(Operator op, const T& stored, const T& value) {
  switch (op) {
    case Operator::kEqual:
      return stored == value;
    case Operator::kNotEqual:
      return stored != value;
    case Operator::kLess:
      return stored < value;
    case Operator::kLessOrEqual:
      return stored <= value;
    case Operator::kGreater:
      return stored > value;
    case Operator::kGreaterOrEqual:
      return stored >= value;
    default:
      return false;
  }
}

bool CompareText(const Node& leaf, const std::string& stored) {
  if (leaf.op == Operator::kIn || leaf.op == Operator::kNotIn) {
    bool listed = false;
    if (leaf.value.is_array()) {
      for (const json::value& item : leaf.value.get_array()) {
        listed = listed || (item.is_string() && std::string_view(item.get_string()) == stored);
      }
    }
    return listed == (leaf.op == Operator::kIn);
  }
  if (!leaf.value.is_string()) return leaf.op == Operator::kNotEqual;
  const std::string value(leaf.value.get_string());
  switch (leaf.op) {
    case Operator::kLike:
      return Like(stored, "%" + value + "%");
    case Operator::kNotLike:
      return !Like(stored, "%" + value + "%");
    case Operator::kIlike:
      return Like(Lower(stored), "%" + Lower(value) + "%");
    case Operator::kNotIlike:
      return !Like(Lower(stored), "%" + Lower(value) + "%");
    case Operator::kEqualLike:
      return Like(stored, value);
    case Operator::kEqualIlike:
      return Like(Lower(stored), Lower(value));
    default:
      return CompareOrdered(leaf.op, stored, value);
  }
}

bool CompareNumber(const Node& leaf, double stored) {
  if (leaf.op == Operator::kIn || leaf.op == Operator::kNotIn) {
    bool listed = false;
    if (leaf.value.is_array()) {
      for (const json::value& item : leaf.value.get_array()) {
        listed = listed || (item.is_number() && item.to_number<double>() == stored);
      }
    }
    return listed == (leaf.op == Operator::kIn);
  }
  if (!leaf.value.is_number()) return leaf.op == Operator::kNotEqual;
  return CompareOrdered(leaf.op, stored, leaf.value.to_number<double>());
}

bool CompareId(const Node& leaf, RecordId stored) {
  if (leaf.op == Operator::kEqual || leaf.op == Operator::kIn) return leaf.ids.contains(stored);
  if (leaf.op == Operator::kNotEqual || leaf.op == Operator::kNotIn)
    return !leaf.ids.contains(stored);
  return CompareNumber(leaf, static_cast<double>(stored));
}

bool CompareList(const Node& leaf, const std::vector<RecordId>& stored) {
  const bool any =
      std::any_of(stored.begin(), stored.end(), [&](RecordId id) { return leaf.ids.contains(id); });
  const bool hit = any || (leaf.with_empty && stored.empty());
  return hit != (leaf.op == Operator::kNotEqual || leaf.op == Operator::kNotIn);
}

bool Negative(Operator op) {
  return op == Operator::kNotEqual || op == Operator::kNotIn || op == Operator::kNotLike ||
         op == Operator::kNotIlike;
}

bool CompareValue(const StoreView& view, const Node& leaf, const FieldDef& field,
                  const FieldValue& stored) {
  if (const auto* ids = std::get_if<std::vector<RecordId>>(&stored)) return CompareList(leaf, *ids);
  if (field.type == FieldType::kOne2many || field.type == FieldType::kMany2many) {
    return CompareList(leaf, {});
  }
  if (const auto* flag = std::get_if<bool>(&stored); flag != nullptr && *flag) {
    const bool asked = leaf.value.is_bool() && leaf.value.get_bool();
    return asked != Negative(leaf.op);
  }
  if (IsEmptyValue(stored)) return leaf.with_empty != Negative(leaf.op);
  // A negative operator on something: `!= False` asks for what is set.
  if (leaf.with_empty && !leaf.value.is_array()) return Negative(leaf.op);
  if (const auto* time = std::get_if<absl::Time>(&stored)) return CompareTime(leaf, *time);
  if (const auto* text = std::get_if<std::string>(&stored)) return CompareText(leaf, *text);
  if (const auto* number = std::get_if<double>(&stored)) return CompareNumber(leaf, *number);
  const RecordId id = std::get<std::int64_t>(stored);
  if (field.type == FieldType::kMany2one && leaf.value.is_string()) {
    return CompareText(leaf, view.DisplayName(view.schema().At(field.relation), id));
  }
  return CompareId(leaf, id);
}

bool MatchLeaf(const StoreView& view, const Node& leaf, std::size_t step, const Record& record) {
  const auto& [model, field] = leaf.path[step];
  if (step + 1 == leaf.path.size()) {
    if (field->compute == nullptr && field->type != FieldType::kOne2many) {
      return CompareValue(view, leaf, *field,
                          record.values[static_cast<std::size_t>(field->index)]);
    }
    return CompareValue(view, leaf, *field, view.Value(*model, record, *field));
  }
  const FieldValue value = view.Value(*model, record, *field);
  std::vector<RecordId> targets;
  if (const auto* ids = std::get_if<std::vector<RecordId>>(&value)) targets = *ids;
  if (const auto* id = std::get_if<std::int64_t>(&value)) targets = {*id};
  const ModelDef& next = *leaf.path[step + 1].model;
  return std::any_of(targets.begin(), targets.end(), [&](RecordId id) {
    const Record* target = view.Find(next, id);
    return target != nullptr && MatchLeaf(view, leaf, step + 1, *target);
  });
}

bool MatchNode(const StoreView& view, const Node& node, const Record& record) {
  const auto matches = [&](const std::unique_ptr<Node>& child) {
    return MatchNode(view, *child, record);
  };
  switch (node.kind) {
    case Node::Kind::kTrue:
      return true;
    case Node::Kind::kFalse:
      return false;
    case Node::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), matches);
    case Node::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), matches);
    case Node::Kind::kNot:
      return !matches(node.children.front());
    case Node::Kind::kLeaf:
      return MatchLeaf(view, node, 0, record);
  }
  return false;
}

bool NodeMentions(const Node& node, std::string_view field) {
  if (node.kind == Node::Kind::kLeaf) return node.path.front().field->name == field;
  return std::any_of(node.children.begin(), node.children.end(),
                     [&](const auto& child) { return NodeMentions(*child, field); });
}

}  // namespace

Domain::Domain(std::unique_ptr<Node> root) : root_(std::move(root)) {}
Domain::Domain(Domain&&) noexcept = default;
Domain& Domain::operator=(Domain&&) noexcept = default;
Domain::~Domain() = default;

Domain Domain::Parse(const Schema& schema, const ModelDef& model, const json::value& domain,
                     absl::Time now) {
  return Domain(Parser(schema, model, now).Parse(domain));
}

bool Domain::Matches(const StoreView& view, const Record& record) const {
  return MatchNode(view, *root_, record);
}

bool Domain::Mentions(std::string_view field) const { return NodeMentions(*root_, field); }

}  // namespace poller::test
