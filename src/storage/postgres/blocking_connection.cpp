#include "storage/postgres/blocking_connection.hpp"

#include <stdexcept>

#include <libpq-fe.h>

#include "drivers/pg/connection_info.hpp"
#include "drivers/pg/libpq.hpp"

namespace um {

namespace {

pg::Failure failure_of(PGconn* connection, const PGresult* result) {
  if (result == nullptr || PQstatus(connection) == CONNECTION_BAD)
    return {.kind = pg::Failure::lost, .message = pg::first_line_of_error(connection)};
  return pg::failure_of(result);
}

bool succeeded(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

std::string message_of(const pg::Failure& failure) {
  if (failure.sqlstate.empty()) return failure.message;
  return failure.message + " (SQLSTATE " + failure.sqlstate + ")";
}

}  // namespace

PostgresError::PostgresError(pg::Failure failure)
    : std::runtime_error{message_of(failure)}, failure_{std::move(failure)} {}

void BlockingConnection::Close::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

BlockingConnection::BlockingConnection(const Options& options) {
  if (const auto info = pg::ConnectionInfo::parse(options.url); !info)
    throw std::invalid_argument{info.error().detail};
  const std::string url{options.url.reveal()};
  // The URL comes last, so its settings take precedence.
  const char* names[] = {"fallback_application_name", "client_encoding", "target_session_attrs",
                         "dbname", nullptr};
  const char* values[] = {options.application_name.c_str(), "UTF8", "primary", url.c_str(),
                          nullptr};
  connection_.reset(PQconnectdbParams(names, values, 1));
  if (!connection_) throw std::bad_alloc{};
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw PostgresError{
        {.kind = pg::Failure::lost, .message = pg::first_line_of_error(connection_.get())}};
  }
  pg::ignore_notices(connection_.get());
  // The program reads text forms, which must not depend on the server's settings.
  execute("SET bytea_output = 'hex'");
}

void BlockingConnection::execute(const std::string& script) {
  const pg::ResultPtr result{PQexec(connection_.get(), script.c_str())};
  if (!succeeded(result.get())) throw PostgresError{failure_of(connection_.get(), result.get())};
}

pg::Rows BlockingConnection::run(const std::string& statement, const pg::Params& params) {
  const pg::ParamArrays arrays{params};
  pg::ResultPtr result{PQexecParams(connection_.get(), statement.c_str(), arrays.count(), nullptr,
                                    arrays.values.data(), arrays.lengths.data(),
                                    arrays.formats.data(), 0)};
  if (!succeeded(result.get())) throw PostgresError{failure_of(connection_.get(), result.get())};
  return {std::move(result), nullptr};
}

std::string BlockingConnection::text(const std::string& statement, const pg::Params& params) {
  const pg::Rows rows = run(statement, params);
  if (rows.empty()) throw PostgresError{{.message = "no row: " + statement}};
  return std::string{rows.text(0, 0)};
}

std::int64_t BlockingConnection::integer(const std::string& statement, const pg::Params& params) {
  const pg::Rows rows = run(statement, params);
  if (rows.empty()) throw PostgresError{{.message = "no row: " + statement}};
  return rows.integer(0, 0);
}

std::string BlockingConnection::describe() const {
  const auto part = [](const char* text) { return std::string{text == nullptr ? "" : text}; };
  return part(PQhost(connection_.get())) + ':' + part(PQport(connection_.get())) + '/' +
         part(PQdb(connection_.get()));
}

}  // namespace um
