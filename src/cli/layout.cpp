#include "cli/layout.hpp"

#include <algorithm>
#include <ostream>

#include <unicode/uchar.h>

#include "base/utf8.hpp"
#include "cli/messages.hpp"

namespace um {
namespace {

std::size_t width_of(char32_t code) {
  const auto c = static_cast<UChar32>(code);
  switch (u_charType(c)) {
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_FORMAT_CHAR:
    case U_CONTROL_CHAR:
      return 0;
    default:
      break;
  }
  const int width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

// Where the continuation of `line` begins.
std::size_t hanging_indent(std::string_view line) {
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t gap = line.find("  ", begin);
  if (gap == std::string_view::npos) return begin;
  return std::min(line.find_first_not_of(' ', gap), line.size());
}

// Takes the words off `line` that fit into `columns`, and the space behind them.
std::string_view take_fitting(std::string_view& line, std::size_t begin, std::size_t columns) {
  std::size_t end = std::string_view::npos;
  for (std::size_t space = line.find(' ', begin); space != std::string_view::npos;
       space = line.find(' ', space + 1)) {
    if (end != std::string_view::npos && display_width(line.substr(0, space)) > columns) break;
    end = space;
  }
  if (end == std::string_view::npos || display_width(line) <= columns) end = line.size();
  const std::string_view taken = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return taken;
}

void append_wrapped(std::string& out, std::string_view line, std::size_t columns) {
  const std::size_t indent = hanging_indent(line);
  // Spaces within the first column are no places to break.
  out += take_fitting(line, indent, columns);
  while (!line.empty()) {
    out.append("\n").append(indent, ' ');
    out += take_fitting(line, 0, columns > indent ? columns - indent : 1);
  }
}

}  // namespace

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  while (!utf8.empty()) {
    const Utf8Step step = next_code_point(utf8);
    width += step.code_point ? width_of(*step.code_point) : 1;
    utf8.remove_prefix(step.bytes);
  }
  return width;
}

std::string fit_width(std::string_view utf8, std::size_t columns) {
  if (display_width(utf8) <= columns) return std::string{utf8};
  if (columns == 0) return {};
  std::size_t width = 0;
  std::size_t bytes = 0;
  while (bytes < utf8.size()) {
    const Utf8Step step = next_code_point(utf8.substr(bytes));
    width += step.code_point ? width_of(*step.code_point) : 1;
    if (width > columns - 1) break;  // one is for the ellipsis
    bytes += step.bytes;
  }
  return std::string{utf8.substr(0, bytes)} + "…";
}

std::string wrap(std::string_view text, std::size_t columns) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    append_wrapped(out, text.substr(0, end), columns);
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

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
