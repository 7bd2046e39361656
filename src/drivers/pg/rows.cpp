#include "drivers/pg/rows.hpp"

#include <charconv>
#include <stdexcept>

#include <libpq-fe.h>

namespace um::pg {

void ClearResult::operator()(pg_result* result) const {
  PQclear(result);
}

Rows::Rows(ResultPtr result, Note session_note)
    : result_{std::move(result)}, note_{std::move(session_note)} {
  if (!result_) return;
  rows_ = static_cast<std::size_t>(PQntuples(result_.get()));
  columns_ = static_cast<std::size_t>(PQnfields(result_.get()));
  const std::string_view count = PQcmdTuples(result_.get());
  std::from_chars(count.data(), count.data() + count.size(), affected_);
}

bool Rows::null(std::size_t row, std::size_t column) const {
  if (row >= rows_ || column >= columns_) {
    throw std::logic_error{"a result has no row or column of this number"};
  }
  return PQgetisnull(result_.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}

const char* Rows::value(std::size_t row, std::size_t column) const {
  if (null(row, column)) throw std::logic_error{"a value of a result is null"};
  return PQgetvalue(result_.get(), static_cast<int>(row), static_cast<int>(column));
}

std::string_view Rows::text(std::size_t row, std::size_t column) const {
  const char* begin = value(row, column);
  const int length = PQgetlength(result_.get(), static_cast<int>(row), static_cast<int>(column));
  return {begin, static_cast<std::size_t>(length)};
}

std::optional<std::string_view> Rows::text_or_null(std::size_t row, std::size_t column) const {
  if (null(row, column)) return std::nullopt;
  return text(row, column);
}

std::int64_t Rows::integer(std::size_t row, std::size_t column) const {
  const auto digits = text(row, column);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    throw std::logic_error{"a value of a result is no integer"};
  }
  return number;
}

bool Rows::boolean(std::size_t row, std::size_t column) const {
  const auto letter = text(row, column);
  if (letter == "t") return true;
  if (letter == "f") return false;
  throw std::logic_error{"a value of a result is no boolean"};
}

std::string Rows::bytes(std::size_t row, std::size_t column) const {
  const auto hex = text(row, column);
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    throw std::logic_error{"a value of a result is no bytea"};
  };
  if (!hex.starts_with("\\x") || hex.size() % 2 != 0) {
    throw std::logic_error{"a value of a result is no bytea"};
  }
  std::string raw;
  raw.reserve(hex.size() / 2 - 1);
  for (std::size_t i = 2; i < hex.size(); i += 2) {
    raw.push_back(static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return raw;
}

}  // namespace um::pg
