// Table: aligned columns for people. Cells may be anything: they are made safe to print.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace um {

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
