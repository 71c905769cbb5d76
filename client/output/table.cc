#include "client/output/table.h"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "client/output/text.h"

namespace poller::client {
namespace {

constexpr std::size_t kGap = 2;         // between columns
constexpr std::size_t kShrunken = 10;   // a column that may shrink keeps at least so much
constexpr std::size_t kIndent = 4;      // of what goes below a row
constexpr std::size_t kLinesBelow = 3;  // at most; what is longer is cut
constexpr std::size_t kNarrowest = 20;  // below that nothing goes below

std::size_t Total(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), std::size_t{0}) +
         kGap * (widths.empty() ? 0 : widths.size() - 1);
}

std::string_view Code(Colour colour) {
  switch (colour) {
    case Colour::kGood:
      return "\x1b[32m";
    case Colour::kBad:
      return "\x1b[31m";
    case Colour::kWarn:
      return "\x1b[33m";
    case Colour::kDim:
      return "\x1b[2m";
    case Colour::kNone:
      break;
  }
  return "";
}

// One line, without blanks at its end.
class Line {
 public:
  void Add(const std::string& text, std::size_t width, bool right, Colour colour,
           const Look& look) {
    const std::size_t pad = width - std::min(width, DisplayWidth(text));
    if (right) pending_ += pad;
    if (!text.empty()) {
      line_.append(pending_, ' ');
      pending_ = 0;
      line_ += Paint(text, colour, look);
    }
    if (!right) pending_ += pad;
    pending_ += kGap;
  }
  const std::string& text() const { return line_; }

 private:
  std::string line_;
  std::size_t pending_ = 0;
};

}  // namespace

std::string Paint(const std::string& text, Colour colour, const Look& look) {
  if (!look.colour || colour == Colour::kNone) return text;
  return std::string(Code(colour)) + text + "\x1b[0m";
}

void Table::Add(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = Printable(cell.text);
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::NaturalWidths() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = DisplayWidth(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[i].text));
    widths.push_back(width);
  }
  return widths;
}

bool Table::GoesBelow(const Look& look) const {
  return look.width && *look.width >= kNarrowest && columns_.size() > 1 && columns_.back().below &&
         Total(NaturalWidths()) > *look.width;
}

std::vector<std::size_t> Table::Widths(const Look& look) const {
  std::vector<std::size_t> widths = NaturalWidths();
  if (GoesBelow(look)) widths.pop_back();
  if (!look.width) return widths;
  while (Total(widths) > *look.width) {
    // The widest one gives way first, so that short columns stay whole.
    std::optional<std::size_t> widest;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (columns_[i].shrink && widths[i] > std::max(kShrunken, DisplayWidth(columns_[i].title)) &&
          (!widest || widths[i] > widths[*widest])) {
        widest = i;
      }
    }
    if (widest) {
      --widths[*widest];
    } else if (widths.size() > 1) {
      widths.pop_back();
    } else {
      widths[0] = *look.width;
    }
  }
  return widths;
}

void Table::PrintBelow(std::ostream& out, const Cell& cell, const Look& look) {
  for (const std::string& line : WrapWidth(cell.text, *look.width - kIndent, kLinesBelow))
    out << std::string(kIndent, ' ') << Paint(line, cell.colour, look) << '\n';
}

void Table::Print(std::ostream& out, const Look& look) const {
  const std::vector<std::size_t> widths = Widths(look);
  Line header;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    header.Add(FitWidth(columns_[i].title, widths[i]), widths[i], columns_[i].right, Colour::kDim,
               look);
  }
  out << header.text() << '\n';
  for (const auto& row : rows_) {
    Line line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      line.Add(FitWidth(row[i].text, widths[i]), widths[i], columns_[i].right, row[i].colour, look);
    }
    out << line.text() << '\n';
    if (GoesBelow(look)) PrintBelow(out, row.back(), look);
  }
}

void Fields::Add(std::string name, Cell value) {
  value.text = Printable(value.text);
  fields_.emplace_back(std::move(name), std::move(value));
}

void Fields::Print(std::ostream& out, const Look& look) const {
  std::size_t widest = 0;
  for (const auto& [name, value] : fields_) widest = std::max(widest, DisplayWidth(name));
  for (const auto& [name, value] : fields_) {
    out << Paint(name, Colour::kDim, look) << std::string(widest - DisplayWidth(name) + kGap, ' ')
        << Paint(value.text, value.colour, look) << '\n';
  }
}

}  // namespace poller::client
