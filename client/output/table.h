// Tables and lists of fields for people.
#pragma once

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace poller::client {

enum class Colour { kNone, kGood, kBad, kWarn, kDim };

// What one place of a table says. The text is made printable when it is shown.
struct Cell {
  Cell(std::string value) : text(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Cell(const char* value) : text(value) {}             // NOLINT(google-explicit-constructor)
  Cell(std::string value, Colour c) : text(std::move(value)), colour(c) {}
  std::string text;
  Colour colour = Colour::kNone;
};

// How output looks.
struct Look {
  std::optional<std::size_t> width;  // columns at most; unset: as many as needed (not a terminal)
  bool colour = false;
};

struct Column {
  std::string title;
  bool right = false;   // numbers
  bool shrink = false;  // may be cut when the terminal is narrow
  // The last column alone: when the table is too wide for the terminal, what stands in this column
  // goes below its row, over the whole width.
  bool below = false;
};

// Rows under titles, in columns as wide as they must be. On a narrow terminal a last column that may
// go below does, then columns that may shrink do, then the last columns are left out.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // As many cells as columns.
  void Add(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }
  void Print(std::ostream& out, const Look& look) const;

 private:
  std::vector<std::size_t> NaturalWidths() const;
  bool GoesBelow(const Look& look) const;
  static void PrintBelow(std::ostream& out, const Cell& cell, const Look& look);
  std::vector<std::size_t> Widths(const Look& look) const;
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Names and values, one a line, values aligned. Values are never cut.
class Fields {
 public:
  void Add(std::string name, Cell value);
  void Print(std::ostream& out, const Look& look) const;

 private:
  std::vector<std::pair<std::string, Cell>> fields_;
};

// `text` in its colour if `look` has colours.
std::string Paint(const std::string& text, Colour colour, const Look& look);

}  // namespace poller::client
