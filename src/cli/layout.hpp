// Text in the columns of a terminal: its width, lines broken at spaces, tables.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace um {

// East Asian wide and full-width characters and emoji take two columns (UAX #11), combining marks
// and format characters none, everything else one. Terminals differ for joined emoji; names rarely
// have them.
std::size_t display_width(std::string_view utf8);

// At most `columns` wide; a longer text ends in "…".
std::string fit_width(std::string_view utf8, std::size_t columns);

// Lines wider than `columns` go on under the text of their second column (the text after the first
// gap of at least two spaces), or under their own beginning if they have none. A word that is wider
// than a line stays whole.
std::string wrap(std::string_view text, std::size_t columns);

// Aligned columns for people. Cells may be anything: they are made safe to print.
class Table {
 public:
  struct Column {
    std::string title;
    enum class Align { left, right } align = Align::left;
    std::size_t max_width = 60;  // columns of the terminal; longer cells end in "…"
  };
  explicit Table(std::vector<Column> columns) : columns_{std::move(columns)} {}

  // REQUIRES: as many cells as there are columns.
  void add(std::vector<std::string> cells);
  std::size_t rows() const { return rows_.size(); }
  void write(std::ostream& out) const;

 private:
  void write_row(std::ostream& out, const std::vector<std::string>& cells,
                 const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace um
