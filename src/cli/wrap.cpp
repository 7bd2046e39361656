#include "cli/wrap.hpp"

#include <algorithm>

#include "cli/text_width.hpp"

namespace um {
namespace {

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

}  // namespace um
