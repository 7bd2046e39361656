#include "cli/table.hpp"

#include <algorithm>
#include <ostream>

#include "cli/messages.hpp"
#include "cli/text_width.hpp"

namespace um {

void Table::add(std::vector<std::string> cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i] = fit_width(shown(cells[i]), columns_.at(i).max_width);
  }
  rows_.push_back(std::move(cells));
}

void Table::write(std::ostream& out) const {
  std::vector<std::size_t> widths;
  std::vector<std::string> titles;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    titles.push_back(columns_[i].title);
    widths.push_back(display_width(columns_[i].title));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  write_row(out, titles, widths);
  for (const auto& row : rows_) write_row(out, row, widths);
}

void Table::write_row(std::ostream& out, const std::vector<std::string>& cells,
                      const std::vector<std::size_t>& widths) const {
  std::string line;
  std::string gap;  // written only in front of something: no blanks at the end of a line
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string blanks(widths[i] - display_width(cells[i]), ' ');
    const bool right = columns_[i].align == Column::Align::right;
    if (right) gap += blanks;
    if (!cells[i].empty()) {
      line += gap + cells[i];
      gap.clear();
    }
    if (!right) gap += blanks;
    gap += "  ";
  }
  out << line << '\n';
}

}  // namespace um
