// Query: a named statement. Params: the values of its parameters $1, $2, … Statement: both.
//
// Thread safety: values and pure functions.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace um::pg {

// Statistics and logs call the statement by its name. Queries are constants with static storage:
// a statement is prepared once per connection and found again by the address of its Query.
struct Query {
  std::string_view name;
  std::string_view sql;
};

// For a bytea. Refers to the memory of the caller until the Params is made.
struct Bytes {
  std::string_view data;
};

// The values of one execution: Params{id, name, std::nullopt}. Values are copied. Integers,
// booleans, doubles and text are sent as text, which the server converts to the type that the
// statement wants (so a timestamptz or a uuid is given as text). Bytes are sent as they are and fit
// a bytea only. An array is one text, see below.
//
// PostgreSQL's text holds no NUL: a text with one makes the whole call `refused` (SQLSTATE 22021)
// without being sent.
class Params {
 public:
  // length < 0: null. data points to `length` bytes and a NUL after them.
  struct Value {
    const char* data;
    int length;
    bool binary;
  };

  Params() = default;
  template <class... Values>
    requires(sizeof...(Values) > 0 && (!std::same_as<std::remove_cvref_t<Values>, Params> && ...))
  Params(const Values&... values) {  // NOLINT(google-explicit-constructor): look_up(kQuery, {id})
    values_.reserve(sizeof...(Values));
    (add(values), ...);
  }

  Params& add(std::nullopt_t);
  Params& add(std::string_view text);
  Params& add(const char* text) { return add(std::string_view{text}); }
  Params& add(const std::string& text) { return add(std::string_view{text}); }
  Params& add(Bytes bytes);
  template <std::same_as<bool> Bool>
  Params& add(Bool value) {
    return add(std::string_view{value ? "t" : "f"});
  }
  template <std::integral Integer>
    requires(!std::same_as<Integer, bool>)
  Params& add(Integer value) {
    return add_number(std::to_string(value));
  }
  Params& add(double value);
  template <class T>
  Params& add(const std::optional<T>& value) {
    return value ? add(*value) : add(std::nullopt);
  }

  std::size_t size() const { return values_.size(); }
  Value at(std::size_t index) const;
  // False when a text holds a NUL.
  bool valid() const { return valid_; }

 private:
  struct Place {
    std::size_t begin;
    int length;
    bool binary;
  };
  Params& add_number(const std::string& digits) { return add(std::string_view{digits}); }
  Params& append(std::string_view bytes, bool binary);

  std::string data_;  // the values one after another, a NUL after each
  std::vector<Place> values_;
  bool valid_ = true;
};

struct Statement {
  const Query* query;
  Params params{};
};

// Arrays as one parameter: `where id = any($1::bigint[])` with integer_array(ids). The result is
// the text form of the array (PostgreSQL documentation, 8.15.2), every text quoted.
std::string text_array(std::span<const std::string> elements);
std::string integer_array(std::span<const std::int64_t> elements);

}  // namespace um::pg
