// JsonHandler: what every receiver of Boost.JSON's parser events has in common. Its sizes are not
// limited: the text's is, before it is parsed. To be derived from by handlers of basic_parser.
#pragma once

#include <cstddef>

#include <boost/json/error.hpp>
#include <boost/json/string_view.hpp>

namespace um {

struct JsonHandler {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  static bool on_document_begin(boost::json::error_code&) { return true; }
  static bool on_document_end(boost::json::error_code&) { return true; }
  // Never called: comments are no JSON, and the parser is not told to take them.
  static bool on_comment_part(boost::json::string_view, boost::json::error_code&) { return true; }
  static bool on_comment(boost::json::string_view, boost::json::error_code&) { return true; }
};

}  // namespace um
