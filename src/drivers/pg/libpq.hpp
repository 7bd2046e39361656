// Helpers for callers of libpq: parameters as libpq takes them, errors as values, notices, TLS.
//
// Thread safety: pure, or that of the connection that is given.
#pragma once

#include <string>
#include <vector>

#include "drivers/pg/failure.hpp"
#include "drivers/pg/query.hpp"

struct pg_conn;    // libpq's PGconn
struct pg_result;  // libpq's PGresult

namespace um::pg {

// The parameters as libpq takes them; they refer to the Params.
struct ParamArrays {
  explicit ParamArrays(const Params& params);
  int count() const { return static_cast<int>(values.size()); }

  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
};

// The error of a result, without its detail, which may quote a whole row with its password hash.
Failure failure_of(const pg_result* result);
// One field of an error (PG_DIAG_…); empty if the server sent none.
std::string error_field(const pg_result* result, int code);
// The first line of libpq's message about a connection; it never quotes the password.
std::string first_line_of_error(const pg_conn* connection);

// Whether bytes were decrypted that no readiness of the socket will announce.
bool decrypted_bytes_wait(pg_conn* connection);

// Otherwise libpq prints notices and warnings on stderr.
void ignore_notices(pg_conn* connection);
// Whether a notice says that a transaction was committed here, but that its wait for a synchronous
// standby was cancelled. Told by the function of the server that sends it: it has no SQLSTATE of
// its own, and its text is translated.
bool tells_of_unreplicated_commit(const pg_result* notice);

}  // namespace um::pg
