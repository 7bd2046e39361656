// Rows: the result of one statement. Rows and columns are counted from 0.
//
// Reading outside of the result, or a column as a wrong type, is a bug of the caller and throws
// std::logic_error. Texts point into the result and live as long as it does (also after a move).
//
// Thread safety: like a container; it is tied to no connection and may outlive the client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct pg_result;  // libpq's PGresult

namespace um::pg {

struct ClearResult {
  void operator()(pg_result* result) const;
};
using ResultPtr = std::unique_ptr<pg_result, ClearResult>;

class Rows {
 public:
  using Note = std::shared_ptr<const std::string>;

  Rows() = default;  // no row
  Rows(ResultPtr result, Note session_note);

  std::size_t size() const { return rows_; }
  bool empty() const { return rows_ == 0; }
  std::size_t columns() const { return columns_; }

  bool null(std::size_t row, std::size_t column) const;
  // All of these throw when the value is null; text_or_null does not.
  std::string_view text(std::size_t row, std::size_t column) const;
  std::int64_t integer(std::size_t row, std::size_t column) const;
  bool boolean(std::size_t row, std::size_t column) const;
  std::string bytes(std::size_t row, std::size_t column) const;  // of a bytea
  std::optional<std::string_view> text_or_null(std::size_t row, std::size_t column) const;

  // Rows that an INSERT, UPDATE, DELETE or MERGE changed; for a SELECT, rows returned.
  std::uint64_t affected() const { return affected_; }

  // The result of the last statement of Options::on_connect when the connection that ran this
  // statement was opened; nullptr if there is none.
  const Note& session_note() const { return note_; }

 private:
  const char* value(std::size_t row, std::size_t column) const;

  ResultPtr result_;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::uint64_t affected_ = 0;
  Note note_;
};

}  // namespace um::pg
