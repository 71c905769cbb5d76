#include "tests/fuzz/mutation.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <vector>

namespace poller::fuzz {
namespace {

namespace json = boost::json;

// Written as they are, whether or not they are JSON.
constexpr std::string_view kOddValues[] = {
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "2",
    "-0",
    "0.1",
    "1e3",
    "1E400",
    "-1e400",
    "NaN",
    "Infinity",
    "-Infinity",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890.5",
    "0.30000000000000004",
    R"("")",
    R"("0")",
    R"("false")",
    R"("2026-01-15 10:31:02")",
    R"("2026-01-15 10:31:02.123456")",
    R"("2026-13-45 99:99:99")",
    R"("0000-00-00 00:00:00")",
    R"("9999-12-31 23:59:59")",
    R"("sale")",
    R"("cancel")",
    R"("a-secret-key")",
    R"("see a-secret-key and http://user:a-secret-key@shop.example")",
    R"("\ud800")",
    R"("\udfff\ud800")",
    R"("\u0000\u001b[31m\u202e")",
    "\"\xff\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    R"("\x")",
    "[]",
    "{}",
    "[1]",
    R"([1,"x"])",
    R"(["x",1])",
    "[[],[]]",
    "[null]",
    "[0,\"\"]",
    R"({"id":1})",
    R"({"id":1,"display_name":false})",
    R"({"id":"1","display_name":[]})",
    "undefined",
    "",
};

std::size_t CountNodes(const json::value& value) {
  std::size_t count = 1;
  if (const json::object* object = value.if_object()) {
    for (const auto& member : *object) count += CountNodes(member.value());
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) count += CountNodes(item);
  }
  return count;
}

// The `index`-th node of the document, in the order in which it is written.
const json::value* NodeAt(const json::value& value, std::size_t& index) {
  if (index == 0) return &value;
  --index;
  const json::value* found = nullptr;
  if (const json::object* object = value.if_object()) {
    for (const auto& member : *object) {
      if ((found = NodeAt(member.value(), index)) != nullptr) break;
    }
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) {
      if ((found = NodeAt(item, index)) != nullptr) break;
    }
  }
  return found;
}

std::string Nested(std::size_t depth, std::string_view inner) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += i % 2 == 0 ? "[" : R"({"a":)";
  text += inner;
  for (std::size_t i = depth; i-- > 0;) text += i % 2 == 0 ? "]" : "}";
  return text;
}

// Writes a document as it is, but for one node.
class Writer {
 public:
  Writer(const json::value& document, Chance& chance) : document_(document), chance_(chance) {
    nodes_ = CountNodes(document);
    target_ = chance.Below(nodes_);
  }

  std::string Run() {
    Write(document_);
    return std::move(out_);
  }

 private:
  void Write(const json::value& value) {
    if (at_++ == target_) {
      Spoil(value);
    } else {
      Copy(value, Damage::kNone);
    }
  }

  enum class Damage { kNone, kTwice, kMissing, kRenamed };

  // With one of its members or items damaged.
  void Copy(const json::value& value, Damage damage) {
    if (const json::object* object = value.if_object()) {
      const std::size_t victim = object->empty() ? 0 : chance_.Below(object->size());
      Separated('{', '}', object->size(), victim, damage, [&](std::size_t i, bool renamed) {
        const auto& member = *(object->begin() + static_cast<std::ptrdiff_t>(i));
        std::string name(member.key());
        if (renamed) name += '_';
        out_ += json::serialize(json::string(name));
        out_ += ':';
        Write(member.value());
      });
    } else if (const json::array* array = value.if_array()) {
      const std::size_t victim = array->empty() ? 0 : chance_.Below(array->size());
      Separated('[', ']', array->size(), victim, damage,
                [&](std::size_t i, bool) { Write((*array)[i]); });
    } else {
      out_ += json::serialize(value);
    }
  }

  template <class WriteOne>
  void Separated(char open, char close, std::size_t size, std::size_t victim, Damage damage,
                 WriteOne write) {
    out_ += open;
    bool first = true;
    for (std::size_t i = 0; i < size; ++i) {
      const Damage here = i == victim ? damage : Damage::kNone;
      if (here == Damage::kMissing) continue;
      for (int copy = 0; copy < (here == Damage::kTwice ? 2 : 1); ++copy) {
        if (!first) out_ += ',';
        first = false;
        write(i, here == Damage::kRenamed);
      }
    }
    out_ += close;
  }

  void Spoil(const json::value& value) {
    switch (chance_.Below(9)) {
      case 0:
        return Copy(value, Damage::kTwice);
      case 1:
        return Copy(value, Damage::kMissing);
      case 2:
        return Copy(value, Damage::kRenamed);
      case 3: {  // what stands elsewhere
        std::size_t index = chance_.Below(nodes_);
        out_ += json::serialize(*NodeAt(document_, index));
        return;
      }
      case 4: {  // around the depth that is allowed, and far beyond what a stack holds
        constexpr std::size_t kDepths[] = {1, 28, 30, 32, 34, 1000, 100000};
        out_ += Nested(kDepths[chance_.Below(std::size(kDepths))], json::serialize(value));
        return;
      }
      case 5: {  // a long text, and a longer one than is kept
        constexpr std::size_t kSizes[] = {255, 2047, 2049, 70000};
        out_ += '"';
        const char letter = "a<\x01\xe4"[chance_.Below(4)];
        out_.append(kSizes[chance_.Below(std::size(kSizes))], letter);
        out_ += '"';
        return;
      }
      default:
        out_ += kOddValues[chance_.Below(std::size(kOddValues))];
    }
  }

  const json::value& document_;
  Chance& chance_;
  std::size_t nodes_ = 0, target_ = 0, at_ = 0;
  std::string out_;
};

std::string MutateBytes(std::string text, Chance& chance) {
  if (text.empty()) return std::string(1, static_cast<char>(chance.Below(256)));
  const std::size_t at = chance.Below(text.size());
  const std::size_t length = 1 + chance.Below(std::min<std::size_t>(text.size() - at, 64));
  switch (chance.Below(6)) {
    case 0:
      text[at] = static_cast<char>(text[at] ^ (1 << chance.Below(8)));
      break;
    case 1:
      text[at] = static_cast<char>(chance.Below(256));
      break;
    case 2:
      text.resize(at);
      break;
    case 3:
      text.erase(at, length);
      break;
    case 4:
      text.insert(at, text.substr(at, length));
      break;
    default:
      text.insert(at, kOddValues[chance.Below(std::size(kOddValues))]);
  }
  return text;
}

std::string MutateOnce(std::string text, Chance& chance) {
  if (chance.OneIn(4)) return MutateBytes(std::move(text), chance);
  json::error_code error;
  json::parse_options options;
  options.max_depth = 64;
  const json::value document = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return MutateBytes(std::move(text), chance);
  return Writer(document, chance).Run();
}

}  // namespace

std::string Mutate(std::string_view body, Chance& chance) {
  std::string text(body);
  // Mostly one alone: what is spoilt twice is refused for the first.
  const std::size_t times = chance.OneIn(4) ? 1 + chance.Below(3) : 1;
  for (std::size_t i = 0; i < times; ++i) text = MutateOnce(std::move(text), chance);
  return text;
}

}  // namespace poller::fuzz
